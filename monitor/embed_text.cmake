# cmake -DIN=FILE -DOUT=FILE.c -DHEADER=x.h -DNAME=n -P embed_text.cmake: writes
# the bytes of a file as `const struct bytes n`, which the header declares.
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes
                     "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT}
     "/* Written by embed_text.cmake. */\n#include \"${HEADER}\"\n\n"
     "static const uint8_t text[] = {\n${bytes}\n};\n\n"
     "const struct bytes ${NAME} = {text, sizeof text};\n")
