# cmake -DINPUT=<text file> -DOUTPUT=<C file> -DNAME=<symbol> -P embed.cmake
# Makes a C file that holds the text as `const char NAME[]`, NUL-terminated. @QUIRE_LIBRARY_HASH@ in it becomes the first 16 digits of its SHA-256.
file(SHA256 ${INPUT} hash)
string(SUBSTRING ${hash} 0 16 hash)
# Brackets and semicolons mean lists to CMake; hexadecimal has neither.
string(HEX "@QUIRE_LIBRARY_HASH@" placeholder_hex)
string(HEX "${hash}" hash_hex)
file(READ ${INPUT} text_hex HEX)
string(REPLACE "${placeholder_hex}" "${hash_hex}" text_hex "${text_hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${text_hex}")
file(WRITE ${OUTPUT} "extern const char ${NAME}[];\nextern const char ${NAME}_hash[];\nconst char ${NAME}[] = {${bytes}0};\nconst char ${NAME}_hash[] = \"${hash}\";\n")
