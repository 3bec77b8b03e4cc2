/* Text files of cases that anyone can add to: blocks of "key: value" lines, a blank line between blocks, # begins a
 * comment line. A value's escapes: \r \n \t \0 \\ \xNN, and \{x*N} for N times the text x (which may hold escapes
 * itself, not another repetition). */
#ifndef QUIRE_UNIT_GATEWAY_CASE_FILE_H
#define QUIRE_UNIT_GATEWAY_CASE_FILE_H

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASE_LINES_MAX 128u

struct case_line {
    char key[16];
    uint8_t *bytes; /* unescaped, and a NUL behind them */
    size_t size;
};

struct case_block {
    char name[320]; /* "file:line" */
    struct case_line lines[CASE_LINES_MAX];
    size_t lines_count;
};

struct case_buffer {
    uint8_t *bytes;
    size_t size, room;
};

static inline void case_put(struct case_buffer *buffer, const void *bytes, size_t size) {
    if (buffer->size + size + 1 > buffer->room) {
        buffer->room = (buffer->size + size + 1) * 2;
        buffer->bytes = realloc(buffer->bytes, buffer->room);
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    buffer->bytes[buffer->size] = 0;
}

static inline void case_unescape(const char *text, size_t size, struct case_buffer *buffer) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '\\' || i + 1 == size) {
            case_put(buffer, &text[i], 1);
            continue;
        }
        char c = text[++i];
        const char *plain = strchr("r\rn\nt\t\\\\", c);
        if (plain != NULL && c != '\0') {
            case_put(buffer, plain + 1, 1);
        } else if (c == '0') {
            case_put(buffer, "", 1);
        } else if (c == 'x') {
            char hex[3] = {text[i + 1], text[i + 2], 0};
            uint8_t byte = (uint8_t)strtoul(hex, NULL, 16);
            case_put(buffer, &byte, 1);
            i += 2;
        } else if (c == '{') {
            const char *end = memchr(text + i, '}', size - i), *star = end;
            while (star != NULL && *star != '*')
                star--;
            size_t times = end == NULL ? 0 : strtoul(star + 1, NULL, 10),
                   inner = end == NULL ? 0 : (size_t)(star - (text + i + 1));
            for (size_t n = 0; n < times; n++)
                case_unescape(text + i + 1, inner, buffer);
            i = end == NULL ? size : (size_t)(end - text);
        }
    }
}

static inline void case_free(struct case_block *block) {
    for (size_t i = 0; i < block->lines_count; i++)
        free(block->lines[i].bytes);
    block->lines_count = 0;
}

/* The next block; false at the end of the file. Free it with case_free. */
static inline bool case_read(FILE *file, const char *file_name, unsigned *line_number, struct case_block *ret_block) {
    static char line[1 << 17];
    ret_block->lines_count = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        (*line_number)++;
        size_t size = strcspn(line, "\n");
        if (size == 0 && ret_block->lines_count > 0)
            return true;
        if (size == 0 || line[0] == '#')
            continue;
        if (ret_block->lines_count == 0)
            (void)snprintf(ret_block->name, sizeof ret_block->name, "%s:%u", file_name, *line_number);
        size_t key = strcspn(line, ":");
        struct case_line *entry = &ret_block->lines[ret_block->lines_count++];
        struct case_buffer buffer = {NULL, 0, 0};
        case_put(&buffer, "", 0);
        (void)snprintf(entry->key, sizeof entry->key, "%.*s", (int)(key < 15 ? key : 15), line);
        size_t begin = key + 1 < size && line[key + 1] == ' ' ? key + 2 : key + 1;
        if (begin < size)
            case_unescape(line + begin, size - begin, &buffer);
        entry->bytes = buffer.bytes;
        entry->size = buffer.size;
        if (ret_block->lines_count == CASE_LINES_MAX)
            return true;
    }
    return ret_block->lines_count > 0;
}

/* Calls `check` for each block of each *.txt file in `folder`. How many there were; 0 also where the folder or a file
 * of it can't be read, so that a caller who asks for a least number misses none. */
static inline unsigned case_read_folder(const char *folder, void (*check)(const struct case_block *block)) {
    DIR *directory = opendir(folder);
    unsigned cases = 0;
    bool readable = directory != NULL;
    for (struct dirent *entry; readable && (entry = readdir(directory)) != NULL;) {
        char path[512];
        if (strstr(entry->d_name, ".txt") == NULL)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "r");
        struct case_block block;
        unsigned line = 0;
        readable = file != NULL;
        for (; readable && case_read(file, entry->d_name, &line, &block); cases++) {
            check(&block);
            case_free(&block);
        }
        if (file != NULL)
            (void)fclose(file);
    }
    if (directory != NULL)
        (void)closedir(directory);
    return readable ? cases : 0;
}

#endif
