# cmake -DOUT=FILE.c -DFILES=a;b -P embed.cmake: writes page_files[] (page.h)
# with the files, whose names are relative to this folder.

function(content_type file out)
  if(file MATCHES "\\.html$")
    set(type "text/html; charset=utf-8")
  elseif(file MATCHES "\\.css$")
    set(type "text/css; charset=utf-8")
  elseif(file MATCHES "\\.js$")
    set(type "text/javascript; charset=utf-8")
  elseif(file MATCHES "\\.svg$")
    set(type "image/svg+xml")
  else()
    message(FATAL_ERROR "embed: no content type for ${file}")
  endif()
  set(${out} "${type}" PARENT_SCOPE)
endfunction()

set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS FILES)
  file(READ ${CMAKE_CURRENT_LIST_DIR}/${file} bytes HEX)
  file(SHA256 ${CMAKE_CURRENT_LIST_DIR}/${file} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes
                       "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  content_type(${file} type)
  set(path "/streaming/ui/${file}")
  if(file STREQUAL "index.html")
    set(path "/streaming/ui")
  endif()
  string(APPEND arrays
         "static const uint8_t file_${number}[] = {\n${bytes}\n};\n")
  string(APPEND rows
         "    {\"${path}\", \"${type}\", \"\\\"${hash}\\\"\",\n"
         "     {file_${number}, sizeof file_${number}}},\n")
  math(EXPR number "${number} + 1")
endforeach()

file(WRITE ${OUT}
     "/* Written by embed.cmake. */\n"
     "#include \"monitor/page_files.h\"\n\n${arrays}\n"
     "const struct page_file page_files[] = {\n${rows}};\n"
     "const size_t page_files_count =\n"
     "    sizeof page_files / sizeof page_files[0];\n")
