/* A message's texts, of which protobuf-c says only that they end. Any thread. */
#ifndef QUIRE_RUNTIME_TEXTS_H
#define QUIRE_RUNTIME_TEXTS_H

#include "base/slice.h"

#include <protobuf-c/protobuf-c.h>

/* Whether each is UTF-8, at any depth, as protobuf's own libraries hold them to and PostgreSQL's text must be: one that
 * isn't would fail its statement, and come back in an answer that is no JSON. The message was unpacked, so that
 * recursion is as deep as unpacking was. */
QUIRE_MUSTCHECK bool quire_texts_valid(const ProtobufCMessage *message);

#endif
