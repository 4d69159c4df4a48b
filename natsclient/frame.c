#include "natsclient/frame.h"

/* What is left of a line. */
struct cursor {
    char *at;
    const char *end;
};

/* The next token of a line, ended by one blank or the end of the line. */
struct token {
    char *start;
    char *end;
};

static bool next_token(struct cursor *line, struct token *token)
{
    if (line->at >= line->end)
        return false;
    size_t left = (size_t)(line->end - line->at);
    char *blank = memchr(line->at, ' ', left);
    token->start = line->at;
    token->end = blank != NULL ? blank : line->at + left;
    line->at = blank != NULL ? blank + 1 : token->end;
    return token->end > token->start;
}

/* Digits only, at most 18 of them. */
static bool read_number(struct token token, uint64_t *out)
{
    if (token.end - token.start > 18)
        return false;
    uint64_t value = 0;
    for (const char *at = token.start; at < token.end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        value = value * 10 + (uint64_t)(*at - '0');
    }
    *out = value;
    return true;
}

/* The line of MSG or HMSG behind its verb. */
struct head {
    struct token subject, reply; /* reply.start is NULL if there is none */
    uint64_t sid, header_size, size;
};

/* The tokens behind the sid: [reply], then one or two numbers. */
static bool read_tail(struct cursor *line, int numbers, struct head *head)
{
    struct token tokens[3];
    int count = 0;
    while (count < numbers + 1 && next_token(line, &tokens[count]))
        count++;
    if (line->at != line->end || count < numbers)
        return false;
    head->reply = (struct token){NULL, NULL};
    int at = 0;
    if (count > numbers)
        head->reply = tokens[at++];
    head->header_size = 0;
    if (numbers == 2 && !read_number(tokens[at++], &head->header_size))
        return false;
    return read_number(tokens[at], &head->size) &&
           head->header_size <= head->size;
}

static bool read_head(char *at, const char *end, int numbers, struct head *head)
{
    struct cursor line = {at, end};
    struct token sid;
    return next_token(&line, &head->subject) && next_token(&line, &sid) &&
           read_number(sid, &head->sid) && read_tail(&line, numbers, head);
}

/* "NATS/1.0 503" and no data is what a server says when nobody listens. */
static bool says_no_responders(struct bytes header)
{
    static const char STATUS[] = "NATS/1.0 503";
    size_t length = sizeof STATUS - 1;
    if (header.size < length || memcmp(header.data, STATUS, length) != 0)
        return false;
    return header.size == length || header.data[length] == ' ' ||
           header.data[length] == '\r';
}

/* The payload of size bytes that follows the line, which ends at end. */
static void read_payload(const char *data, size_t size, const char *payload,
                         const struct head *head, struct frame *frame)
{
    size_t length = (size_t)head->size;
    frame->size = (size_t)(payload - data) + length + 2;
    if (frame->size > size) {
        frame->type = FRAME_PARTIAL;
        return;
    }
    if (payload[length] != '\r' || payload[length + 1] != '\n')
        return;
    size_t header = (size_t)head->header_size;
    frame->type = FRAME_MESSAGE;
    frame->sid = head->sid;
    frame->data = bytes_of(payload + header, length - header);
    frame->no_responders = header > 0 && frame->data.size == 0 &&
                           says_no_responders(bytes_of(payload, header));
}

/* verb_end is behind the blank that follows the verb. */
static void read_message(char *data, size_t size, char *verb_end, char *end,
                         const char *next, size_t payload_max,
                         struct frame *frame)
{
    struct head head;
    int numbers = data[0] == 'H' ? 2 : 1;
    if (!read_head(verb_end, end, numbers, &head) || head.size > payload_max)
        return;
    read_payload(data, size, next, &head, frame);
    if (frame->type != FRAME_MESSAGE ||
        memchr(data, '\0', (size_t)(end - data)) != NULL)
        return;
    *head.subject.end = '\0';
    frame->subject = head.subject.start;
    if (head.reply.start != NULL) {
        *head.reply.end = '\0';
        frame->reply = head.reply.start;
    }
}

/* Behind the verb if the line begins with it and it ends there, else NULL.
 * Verbs come in any case. */
static char *match(char *line, const char *end, const char *verb)
{
    for (; *verb != '\0'; verb++, line++) {
        if (line == end)
            return NULL;
        char byte = *line;
        if (byte >= 'a' && byte <= 'z')
            byte = (char)(byte - 'a' + 'A');
        if (byte != *verb)
            return NULL;
    }
    if (line == end)
        return line;
    return *line == ' ' || *line == '\t' ? line + 1 : NULL;
}

static void read_line(char *data, size_t size, char *end, const char *next,
                      size_t payload_max, struct frame *frame)
{
    static const struct {
        const char *verb;
        enum frame_type type;
    } VERBS[] = {
        {"PING", FRAME_PING}, {"PONG", FRAME_PONG},  {"+OK", FRAME_OK},
        {"INFO", FRAME_INFO}, {"-ERR", FRAME_ERROR},
    };
    char *behind = NULL;
    if (end - data > 4 && memcmp(data, "MSG ", 4) == 0) {
        behind = data + 4; /* by far the most */
    } else if ((behind = match(data, end, "MSG")) == NULL) {
        behind = match(data, end, "HMSG");
    }
    if (behind != NULL) {
        read_message(data, size, behind, end, next, payload_max, frame);
        return;
    }
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++) {
        behind = match(data, end, VERBS[i].verb);
        if (behind == NULL)
            continue;
        frame->type = VERBS[i].type;
        frame->text = bytes_of(behind, (size_t)(end - behind));
        return;
    }
}

void frame_read(char *data, size_t size, size_t payload_max,
                struct frame *frame)
{
    *frame = (struct frame){.type = FRAME_PARTIAL, .size = size + 1};
    if (size == 0)
        return;
    char *newline =
        memchr(data, '\n', size < FRAME_LINE_MAX ? size : FRAME_LINE_MAX);
    if (newline == NULL) {
        if (size >= FRAME_LINE_MAX)
            frame->type = FRAME_BROKEN;
        return;
    }
    char *end = newline;
    if (end > data && end[-1] == '\r')
        end--;
    frame->type = FRAME_BROKEN;
    frame->size = (size_t)(newline + 1 - data);
    read_line(data, size, end, newline + 1, payload_max, frame);
}
