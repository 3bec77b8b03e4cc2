/* Walks a message by the contract's tables. */
#ifndef QUIRE_FUZZ_TEXTS_H
#define QUIRE_FUZZ_TEXTS_H

#include "base/contract.h"

/* Whether `holds` is true of every text in the message, at any depth; defaults and absent fields aside. */
bool fuzz_every_text(const struct quire_message_spec *spec, const ProtobufCMessage *message,
                     bool (*holds)(const struct quire_field_spec *field, struct quire_slice text));
/* Whether an item somewhere in it stands for its faults (the option `faults`), and so says nothing of itself. */
bool fuzz_has_faults(const struct quire_message_spec *spec, const ProtobufCMessage *message);

#endif
