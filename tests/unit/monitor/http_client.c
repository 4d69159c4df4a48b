#include "http_client.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { ANSWER_MAX = 1 << 20 };

int http_connect(int port)
{
    int number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(number >= 0);
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    assert_int_equal(
        connect(number, (const struct sockaddr *)&address, sizeof address), 0);
    return number;
}

char *http_exchange(int port, const char *request, size_t size)
{
    int number = http_connect(port);
    for (size_t sent = 0; sent < size;) {
        ssize_t more = send(number, request + sent, size - sent, MSG_NOSIGNAL);
        if (more <= 0)
            break; /* refused half-way: the answer is what counts */
        sent += (size_t)more;
    }
    char *answer = malloc(ANSWER_MAX);
    assert_non_null(answer);
    size_t used = 0;
    ssize_t more;
    while (used < ANSWER_MAX - 1 &&
           (more = recv(number, answer + used, ANSWER_MAX - 1 - used, 0)) > 0)
        used += (size_t)more;
    answer[used] = '\0';
    assert_int_equal(close(number), 0);
    return answer;
}

char *http_request(int port, const char *method, const char *target)
{
    char request[1024];
    int size = snprintf(request, sizeof request,
                        "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        "\r\n",
                        method, target);
    assert_true(size > 0 && (size_t)size < sizeof request);
    return http_exchange(port, request, (size_t)size);
}

const char *http_body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end == NULL ? NULL : end + 4;
}
