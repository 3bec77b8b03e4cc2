/* Where a field's value lies in a protobuf-c message, for those who know the message by its descriptor only. Any
 * thread. */
#ifndef QUIRE_GATEWAY_MEMBER_H
#define QUIRE_GATEWAY_MEMBER_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

/* Bytes of one value: as the member itself, or as an item of a repeated field's array. */
size_t member_bytes(const ProtobufCFieldDescriptor *field);

#endif
