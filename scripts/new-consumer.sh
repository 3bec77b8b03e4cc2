# Usage: ./quire new-consumer NAME
# Writes extensions/NAME: a topic consumer in C with one route (POST /NAME), its .proto, table, database role, compose entry and end-to-end test, all of it
# working and yours to change. NAME is 2 to 15 lower-case letters and digits, a letter first.
# docs/ADDING-A-CONSUMER.md says what each file is for; examples/tags is the like in Python.
template="$QUIRE_ROOT/scripts/new-consumer"

# Names that mean something else to C, PostgreSQL, the compose stack or the gateway.
reserved=" auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return short signed
sizeof static struct switch typedef union unsigned void volatile while main add all analyse analyze and any array as asc both cast check collate column
constraint create desc distinct end except false fetch foreign from grant group having in initially intersect into lateral leading limit not null offset
on only or order placing primary public references returning select some table then to trailing true unique user using variadic when where window with
owner service monitor replication migrate topics cli proxy gateway kafka redis postgres prometheus quire runtime base text docs health livez readyz metrics "

name_check() {
    local name=$1 folder
    [[ $name =~ ^[a-z][a-z0-9]{1,14}$ ]] || fail "'$name' can't be a name: 2 to 15 lower-case letters and digits, a letter first"
    [[ " $(printf '%s' "$reserved" | tr '\n' ' ') " != *" $name "* ]] || fail "'$name' means something else already (to C, PostgreSQL, the stack or the gateway); take another name"
    for folder in services examples extensions; do
        [ ! -e "$QUIRE_ROOT/$folder/$name" ] || fail "$folder/$name is there already; take another name, or remove it first"
    done
    local protos=("$QUIRE_ROOT"/proto/quire/*.proto "$QUIRE_ROOT"/examples/*/*.proto "$QUIRE_ROOT"/extensions/*/*.proto) taken
    taken=$(grep -sloE "(get|put|post|delete|patch): \"/$name[\"/]" "${protos[@]}" | head -n 1 || true)
    [ -z "$taken" ] || fail "the route /$name is taken, by ${taken#"$QUIRE_ROOT/"}; take another name"
    taken=$(grep -slE "(name|topic): \"(quire\.)?$name\"|^package $name;" "${protos[@]}" | head -n 1 || true)
    [ -z "$taken" ] || fail "the service or topic $name is there already, in ${taken#"$QUIRE_ROOT/"}; take another name"
}

# The parameters of NAME's handler over as few lines of 120 characters as .clang-format has it, for sed.
handler_parameters() {
    local capital=${1^} pad line text="" parameter
    pad=$(printf "%*s" $((${#1} + 10)) '')
    line=$pad
    for parameter in "${capital}__${capital}_Service *service," "const ${capital}__AddRequest *input," "${capital}__Note_Closure closure," "void *closure_data"; do
        if [ "$line" = "$pad" ]; then
            line=$pad$parameter
        elif [ $((${#line} + ${#parameter} + 3)) -le 120 ]; then
            line="$line $parameter"
        else
            text="$text$line\\n" line=$pad$parameter
        fi
    done
    text=$text$line
    printf '%s' "${text#"$pad"}"
}

# The template's files with the name in its three spellings.
consumer_write() {
    local name=$1 folder=$2 capital=${1^} upper=${1^^} parameters file target
    parameters=$(handler_parameters "$name")
    (cd "$template" && find . -type f) | while read -r file; do
        target="$folder/${file//@name@/$name}"
        mkdir -p "$(dirname "$target")"
        sed "s/@name@/$name/g; s/@Name@/$capital/g; s/@NAME@/$upper/g; s/@parameters@/$parameters/" "$template/$file" >"$target"
    done
}

[ $# = 1 ] || fail "say what it is called: ./quire new-consumer hello"
name_check "$1"
folder="$QUIRE_ROOT/extensions/$1"
consumer_write "$1" "$folder.new"
mv "$folder.new" "$folder" # whole or not at all
cat <<TEXT
extensions/$1 is there:
$(cd "$folder" && find . -type f | sort | sed "s,^\./,  ,")

Next:
  ./quire test e2e -k $1     its test against the real servers
  ./quire up                 deploys it; then there is POST /$1
To remove it: delete extensions/$1 and run ./quire up. docs/ADDING-A-CONSUMER.md says how its tables, role, secret and topics go too.
TEXT
