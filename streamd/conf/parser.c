#include "streamd/conf/parser.h"

#include "streamd/conf/lexer.h"
#include "streamd/conf/scalar_value.h"
#include "streamd/conf/source.h"

#include <stdlib.h>

/* One text that is being read: a file, or the value of a variable that came
 * from the environment. */
struct frame {
    const char *path;     /* of the file, or around the variable */
    const char *variable; /* NULL: this is a file */
    int line;             /* where the variable stood, in the frame around */
    struct blob text;
    struct lexer lexer;

    /* What is open, from the top-level map on, and under which keys. A map or
     * array goes into the one around it when it is closed: until then no
     * variable finds it. */
    int depth;
    struct conf_value *open[LEXER_DEPTH_MAX + 1];
    struct bytes keys[LEXER_DEPTH_MAX + 1]; /* keys[i]: next of open[i] */
    struct token previous;
};

/* frames[0] is the file asked for, each other is read in the middle of the one
 * before it. */
struct parser {
    struct conf *conf;
    struct frame *frames[CONF_NESTING_MAX + 1];
    int count;
};

/* The key under which a value from the environment is parsed. */
static const char environment_key[] = "value";

static enum status no_memory(struct error *err)
{
    return fail(err, STATUS_NO_MEMORY,
                "configuration: out of memory, or more than a configuration "
                "may hold");
}

/* ---- frames ---- */

static void frame_free(struct frame *frame)
{
    lexer_release(&frame->lexer);
    blob_release(&frame->text);
    free(frame);
}

/* A frame without text on top of the others. */
static struct frame *frame_push(struct parser *parser, const char *path,
                                struct error *err)
{
    if (parser->count > CONF_NESTING_MAX) {
        (void)fail(err, STATUS_INVALID,
                   "includes and variables are nested too deeply (limit %d)",
                   (int)CONF_NESTING_MAX);
        return NULL;
    }
    struct conf_value *root = conf_value_new(parser->conf, CONF_MAP);
    struct frame *frame = calloc(1, sizeof *frame);
    if (root == NULL || frame == NULL) {
        free(frame);
        (void)no_memory(err);
        return NULL;
    }
    frame->path = path;
    frame->open[0] = root;
    parser->frames[parser->count++] = frame;
    return frame;
}

static enum status file_push(struct parser *parser, const char *path,
                             struct error *err)
{
    struct error failure = {0};
    struct frame *frame = frame_push(parser, path, &failure);
    enum status status = failure.status;
    if (frame != NULL)
        status = source_read(path, &frame->text, &failure);
    if (status != STATUS_OK) {
        return fail(err, status, "error opening config file: %s",
                    failure.detail);
    }
    lexer_init(&frame->lexer, blob_bytes(&frame->text));
    return STATUS_OK;
}

static enum status text_push(struct parser *parser, const char *path,
                             struct bytes text, struct error *err)
{
    struct frame *frame = frame_push(parser, path, err);
    if (frame == NULL)
        return STATUS_NO_MEMORY; /* it is the first: not nested too deeply */
    if (!blob_append(&frame->text, text.data, text.size))
        return no_memory(err);
    lexer_init(&frame->lexer, blob_bytes(&frame->text));
    return STATUS_OK;
}

/* name = what the environment says, as a text of its own. */
static enum status variable_push(struct parser *parser, const char *name,
                                 const char *value, int line, struct error *err)
{
    struct frame *outer = parser->frames[parser->count - 1];
    struct frame *frame = frame_push(parser, outer->path, err);
    if (frame == NULL)
        return err == NULL ? STATUS_INVALID : err->status;
    frame->variable = name;
    frame->line = line;
    if (!blob_append(&frame->text, environment_key,
                     sizeof environment_key - 1) ||
        !blob_append(&frame->text, "=", 1) ||
        !blob_append(&frame->text, value, strlen(value)))
        return no_memory(err);
    lexer_init(&frame->lexer, blob_bytes(&frame->text));
    return STATUS_OK;
}

/* ---- values ---- */

static void locate(const struct frame *frame, const struct token *token,
                   struct conf_value *value)
{
    value->file = frame->path;
    value->line = token->line;
    value->column = token->column;
}

static enum status put(struct parser *parser, struct frame *frame,
                       struct conf_value *value, struct error *err)
{
    struct conf_value *container = frame->open[frame->depth];
    if (container->type == CONF_ARRAY) {
        conf_append(container, value);
        return STATUS_OK;
    }
    if (!conf_put(parser->conf, container, frame->keys[frame->depth], value))
        return no_memory(err);
    return STATUS_OK;
}

static enum status container_open(struct parser *parser, struct frame *frame,
                                  const struct token *token, struct error *err)
{
    struct conf_value *value = conf_value_new(
        parser->conf, token->type == TOKEN_MAP_START ? CONF_MAP : CONF_ARRAY);
    if (value == NULL)
        return no_memory(err);
    locate(frame, token, value);
    frame->open[++frame->depth] = value;
    return STATUS_OK;
}

static enum status container_close(struct parser *parser, struct frame *frame,
                                   struct error *err)
{
    struct conf_value *value = frame->open[frame->depth--];
    return put(parser, frame, value, err);
}

static enum status scalar_put(struct parser *parser, struct frame *frame,
                              const struct token *token, struct error *err)
{
    struct conf_value *value = NULL;
    enum status status = scalar_value(parser->conf, token, &value, err);
    if (status != STATUS_OK)
        return status;
    locate(frame, token, value);
    return put(parser, frame, value, err);
}

/* ---- variables ---- */

/* A value that has the type and content of another one. */
static enum status same_put(struct parser *parser, struct frame *frame,
                            const struct token *token,
                            const struct conf_value *same, struct error *err)
{
    struct conf_value *value = conf_value_new(parser->conf, CONF_STRING);
    if (value == NULL)
        return no_memory(err);
    value->type = same->type;
    value->as = same->as;
    locate(frame, token, value);
    return put(parser, frame, value, err);
}

static const struct conf_value *variable_find(struct parser *parser,
                                              const struct frame *frame,
                                              struct bytes name)
{
    const struct conf_value *found = NULL;
    for (int i = frame->depth; i >= 0 && found == NULL; i--) {
        if (frame->open[i]->type == CONF_MAP)
            found = conf_get(parser->conf, frame->open[i], name);
    }
    return found;
}

static enum status variable_put(struct parser *parser, struct frame *frame,
                                const struct token *token, struct error *err)
{
    const struct conf_value *known = variable_find(parser, frame, token->text);
    if (known != NULL)
        return same_put(parser, frame, token, known, err);
    const char *name = conf_copy(parser->conf, token->text);
    if (name == NULL)
        return no_memory(err);
    const char *value = getenv(name);
    if (value == NULL) {
        return fail(err, STATUS_INVALID,
                    "variable reference for '%.100s' on line %d can not be "
                    "found",
                    name, token->line);
    }
    return variable_push(parser, name, value, token->line, err);
}

/* ---- includes ---- */

static enum status include(struct parser *parser, const struct frame *frame,
                           const struct token *token, struct error *err)
{
    const char *name = conf_copy(parser->conf, token->text);
    char *found = name == NULL ? NULL : source_beside(frame->path, name);
    const char *path =
        found == NULL ? NULL : conf_copy(parser->conf, bytes_text(found));
    free(found);
    if (path == NULL)
        return no_memory(err);
    struct error cause = {0};
    if (file_push(parser, path, &cause) == STATUS_OK)
        return STATUS_OK;
    if (parser->frames[parser->count - 1]->path == path)
        frame_free(parser->frames[--parser->count]);
    return fail(err, cause.status, "error parsing include file '%s', %s", name,
                cause.detail);
}

/* ---- the end of a frame ---- */

/* What the frame brought goes into the one around it. */
static enum status frame_finish(struct parser *parser, struct error *err)
{
    struct frame *frame = parser->frames[parser->count - 1];
    struct conf_value *root = frame->open[0];
    if (frame->previous.type == TOKEN_KEY) {
        return fail(err, STATUS_INVALID, "config is invalid (%s:%d:%d)",
                    frame->path, frame->previous.line, frame->previous.column);
    }
    enum status status = STATUS_OK;
    if (parser->count == 1) {
        conf_set_root(parser->conf, root);
    } else {
        struct frame *outer = parser->frames[parser->count - 2];
        if (frame->variable == NULL) {
            if (!conf_merge(parser->conf, outer->open[outer->depth], root))
                return no_memory(err);
        } else {
            const struct conf_value *value =
                conf_get(parser->conf, root, bytes_text(environment_key));
            status = same_put(parser, outer, &outer->previous, value, err);
        }
    }
    if (status == STATUS_OK) {
        frame_free(frame);
        parser->count--;
    }
    return status;
}

/* ---- all of it ---- */

static enum status token_take(struct parser *parser, struct frame *frame,
                              const struct token *token, struct error *err)
{
    switch (token->type) {
    case TOKEN_NONE:
    case TOKEN_END:
        break;
    case TOKEN_KEY:
        frame->keys[frame->depth] = token->text;
        break;
    case TOKEN_INCLUDE:
        return include(parser, frame, token, err);
    case TOKEN_VARIABLE:
        return variable_put(parser, frame, token, err);
    case TOKEN_MAP_START:
    case TOKEN_ARRAY_START:
        return container_open(parser, frame, token, err);
    case TOKEN_MAP_END:
    case TOKEN_ARRAY_END:
        return container_close(parser, frame, err);
    case TOKEN_STRING:
    case TOKEN_BOOLEAN:
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
    case TOKEN_DATETIME:
        return scalar_put(parser, frame, token, err);
    }
    return STATUS_OK;
}

static enum status step(struct parser *parser, struct error *err)
{
    struct frame *frame = parser->frames[parser->count - 1];
    struct token token;
    enum status status = lexer_next(&frame->lexer, &token, err);
    if (status != STATUS_OK)
        return status;
    if (token.type == TOKEN_END)
        return frame_finish(parser, err);
    frame->previous = token;
    return token_take(parser, frame, &token, err);
}

/* Puts in front of the error what was being read when it came. Of many frames
 * only the innermost and the outermost are named, to leave room for the
 * cause. */
static void explain(const struct parser *parser, struct error *err)
{
    for (int i = parser->count - 1; i > 0; i--) {
        if (i > 1 && i < parser->count - 1)
            continue;
        const struct frame *frame = parser->frames[i];
        struct error cause = *err;
        if (frame->variable != NULL) {
            (void)fail(err, cause.status,
                       "variable reference for '%.100s' on line %d could not "
                       "be parsed: %s",
                       frame->variable, frame->line, cause.detail);
        } else {
            (void)fail(err, cause.status, "error parsing include file '%s', %s",
                       frame->path, cause.detail);
        }
    }
}

/* The first frame is there. */
static enum status run(struct parser *parser, struct error *err)
{
    struct error failure = {0};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && parser->count > 0)
        status = step(parser, &failure);
    if (status == STATUS_OK)
        return STATUS_OK;
    explain(parser, &failure);
    return fail(err, status, "%s", failure.detail);
}

static enum status parser_start(struct parser *parser, const char *path,
                                const char **own_path, struct error *err)
{
    enum status status = conf_new(&parser->conf, err);
    if (status != STATUS_OK)
        return status;
    *own_path = conf_copy(parser->conf, bytes_text(path));
    return *own_path == NULL ? no_memory(err) : STATUS_OK;
}

/* Hands over the document, or on a failure frees all there is. */
static enum status parser_end(struct parser *parser, enum status status,
                              struct conf **out)
{
    while (parser->count > 0)
        frame_free(parser->frames[--parser->count]);
    if (status == STATUS_OK) {
        *out = parser->conf;
    } else {
        conf_free(parser->conf);
    }
    return status;
}

enum status conf_load(const char *path, struct conf **out, struct error *err)
{
    struct parser parser = {0};
    const char *own_path = NULL;
    *out = NULL;
    enum status status = parser_start(&parser, path, &own_path, err);
    if (status == STATUS_OK)
        status = file_push(&parser, own_path, err);
    if (status == STATUS_OK)
        status = run(&parser, err);
    return parser_end(&parser, status, out);
}

enum status conf_parse(struct bytes text, const char *path, struct conf **out,
                       struct error *err)
{
    struct parser parser = {0};
    const char *own_path = NULL;
    *out = NULL;
    enum status status = parser_start(&parser, path, &own_path, err);
    if (status == STATUS_OK)
        status = text_push(&parser, own_path, text, err);
    if (status == STATUS_OK)
        status = run(&parser, err);
    return parser_end(&parser, status, out);
}
