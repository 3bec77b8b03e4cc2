#include "text/function_words.h"

#include <assert.h>

enum {
    LANGUAGE_EN,
    LANGUAGE_DE,
    LANGUAGE_FR,
    LANGUAGE_ES,
    LANGUAGE_PT,
    LANGUAGE_IT,
    LANGUAGE_NL,
    LANGUAGE_SV,
    LANGUAGE_DA,
    LANGUAGE_NO,
    LANGUAGE_FI,
    LANGUAGE_HU,
    LANGUAGE_TR,
    LANGUAGE_RO,
    LANGUAGE_PL,
    LANGUAGE_CS,
    LANGUAGE_CA,
    LANGUAGE_ID,
    LANGUAGE_LT,
    LANGUAGE_RU,
    LANGUAGE_UK,
    LANGUAGE_BG,
    LANGUAGE_SR,
    LANGUAGE_AR,
    LANGUAGE_FA,
    LANGUAGE_UR,
    LANGUAGE_HI,
    LANGUAGE_NE,
    LANGUAGE_MR,
    LANGUAGE_EL,
    LANGUAGES
};
static_assert(LANGUAGES <= FUNCTION_WORD_LANGUAGES_MAX, "one bit a language");

const char *const function_word_languages[] = {
    "en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "no", "fi", "hu", "tr", "ro", "pl",
    "cs", "ca", "id", "lt", "ru", "uk", "bg", "sr", "ar", "fa", "ur", "hi", "ne", "mr", "el",
};
const size_t function_word_languages_count = LANGUAGES;
static_assert(sizeof(function_word_languages) / sizeof(function_word_languages[0]) == LANGUAGES, "one code a language");

#define EN (UINT64_C(1) << LANGUAGE_EN)
#define DE (UINT64_C(1) << LANGUAGE_DE)
#define FR (UINT64_C(1) << LANGUAGE_FR)
#define ES (UINT64_C(1) << LANGUAGE_ES)
#define PT (UINT64_C(1) << LANGUAGE_PT)
#define IT (UINT64_C(1) << LANGUAGE_IT)
#define NL (UINT64_C(1) << LANGUAGE_NL)
#define SV (UINT64_C(1) << LANGUAGE_SV)
#define DA (UINT64_C(1) << LANGUAGE_DA)
#define NO (UINT64_C(1) << LANGUAGE_NO)
#define FI (UINT64_C(1) << LANGUAGE_FI)
#define HU (UINT64_C(1) << LANGUAGE_HU)
#define TR (UINT64_C(1) << LANGUAGE_TR)
#define RO (UINT64_C(1) << LANGUAGE_RO)
#define PL (UINT64_C(1) << LANGUAGE_PL)
#define CS (UINT64_C(1) << LANGUAGE_CS)
#define CA (UINT64_C(1) << LANGUAGE_CA)
#define ID (UINT64_C(1) << LANGUAGE_ID)
#define LT (UINT64_C(1) << LANGUAGE_LT)
#define RU (UINT64_C(1) << LANGUAGE_RU)
#define UK (UINT64_C(1) << LANGUAGE_UK)
#define BG (UINT64_C(1) << LANGUAGE_BG)
#define SR (UINT64_C(1) << LANGUAGE_SR)
#define AR (UINT64_C(1) << LANGUAGE_AR)
#define FA (UINT64_C(1) << LANGUAGE_FA)
#define UR (UINT64_C(1) << LANGUAGE_UR)
#define HI (UINT64_C(1) << LANGUAGE_HI)
#define NE (UINT64_C(1) << LANGUAGE_NE)
#define MR (UINT64_C(1) << LANGUAGE_MR)
#define EL (UINT64_C(1) << LANGUAGE_EL)

/* clang-format off */
const struct function_word function_words[] = {
    {"a", PT | HU | RO | CS}, {"aan", NL}, {"aber", DE}, {"about", EN}, {"aceasta", RO}, {"această", RO},
    {"acest", RO}, {"acestea", RO}, {"ada", ID}, {"adalah", ID}, {"af", DA}, {"ai", IT}, {"akan", ID},
    {"akkor", HU}, {"al", ES | IT | NL | RO | CA}, {"alatt", HU}, {"ale", RO | PL | CS}, {"all", EN},
    {"alla", IT | SV}, {"alle", IT | DA | NO}, {"als", DE | NL | CA}, {"am", DE}, {"ama", TR}, {"amb", CA},
    {"amely", HU}, {"an", EN | DE}, {"anche", IT}, {"and", EN}, {"anda", ID}, {"antara", ID}, {"ante", ES},
    {"ao", PT}, {"aos", PT}, {"apa", ID}, {"apie", LT}, {"aquest", CA}, {"aquesta", CA}, {"ar", RO | LT},
    {"arasında", TR}, {"arba", LT}, {"are", EN}, {"as", EN | PT}, {"at", EN | DA | NO}, {"atau", ID}, {"att", SV},
    {"até", PT}, {"au", FR | RO}, {"auch", DE}, {"auf", DE}, {"aus", DE}, {"aussi", FR}, {"aux", FR},
    {"av", SV | NO}, {"avea", RO}, {"avec", FR}, {"az", HU}, {"azonban", HU}, {"azt", HU}, {"bagaimana", ID},
    {"bagi", ID}, {"bahwa", ID}, {"bara", SV}, {"bardzo", PL}, {"bare", NO}, {"be", EN | HU}, {"been", EN},
    {"bei", DE}, {"ben", TR}, {"bet", LT}, {"bez", PL | CS}, {"bij", NL}, {"bir", TR}, {"bis", DE}, {"bisa", ID},
    {"biz", TR}, {"ble", NO}, {"blev", DA}, {"blir", SV | NO}, {"bliver", DA}, {"bu", TR}, {"bunu", TR},
    {"but", EN}, {"buvo", LT}, {"by", EN | CS}, {"byl", CS}, {"byla", CS}, {"bylo", CS}, {"być", PL}, {"był", PL},
    {"było", PL}, {"být", CS}, {"būti", LT}, {"c", FR | IT}, {"can", EN}, {"care", RO}, {"ce", FR | RO},
    {"ces", FR}, {"cette", FR}, {"che", IT}, {"chi", IT}, {"ci", IT}, {"co", PL | CS}, {"com", PT | CA},
    {"come", IT}, {"comme", FR}, {"comment", FR}, {"como", ES | PT}, {"con", ES | IT}, {"contra", ES}, {"cosa", IT},
    {"could", EN}, {"csak", HU}, {"cu", RO}, {"cuando", ES}, {"cum", RO}, {"czy", PL}, {"când", RO}, {"cómo", ES},
    {"că", RO}, {"către", RO}, {"d", FR | IT | CA}, {"da", PT | IT | TR}, {"dacă", RO}, {"daha", TR}, {"dal", IT},
    {"dalam", ID}, {"dalla", IT}, {"dan", NL | ID}, {"dans", FR}, {"dapat", ID}, {"dar", RO | LT}, {"dari", ID},
    {"das", DE | PT}, {"dass", DE}, {"dat", NL}, {"de", FR | ES | PT | NL | SV | DA | NO | HU | TR | RO | CA},
    {"degli", IT}, {"dei", IT}, {"del", ES | IT | CA}, {"della", IT}, {"delle", IT}, {"dels", CA}, {"dem", DE},
    {"den", DE | SV | DA | NO}, {"dengan", ID}, {"denna", SV}, {"denne", DA | NO}, {"depois", PT},
    {"der", DE | DA | NO}, {"des", DE | FR | CA}, {"desde", ES}, {"dessa", SV}, {"det", SV | DA | NO},
    {"detta", SV}, {"dette", DA | NO}, {"deux", FR}, {"deze", NL}, {"değil", TR}, {"di", IT | ID}, {"did", EN},
    {"die", DE | NL}, {"din", RO}, {"disse", DA | NO}, {"dit", NL}, {"diye", TR}, {"dla", PL}, {"dlaczego", PL},
    {"do", EN | PT | PL | CS}, {"doar", RO}, {"does", EN}, {"donde", ES}, {"door", NL}, {"dos", PT}, {"dove", IT},
    {"du", FR}, {"după", RO}, {"durante", ES}, {"durch", DE}, {"där", SV}, {"dėl", LT}, {"e", ES | PT | IT},
    {"ea", RO}, {"een", NL}, {"efter", SV | DA}, {"egy", HU}, {"ei", NO | FI | RO}, {"ein", DE}, {"eine", DE},
    {"einem", DE}, {"einen", DE}, {"einer", DE}, {"el", ES | HU | RO | CA}, {"ela", PT}, {"ele", PT}, {"eles", PT},
    {"elle", FR}, {"eller", SV | DA | NO}, {"ellos", ES}, {"els", CA}, {"em", PT},
    {"en", FR | ES | NL | SV | DA | NO | TR | CA}, {"ennen", FI}, {"entre", FR | ES | PT | CA},
    {"er", DE | NL | SV | DA | NO}, {"era", PT | IT}, {"es", DE | ES}, {"ese", ES}, {"eso", ES}, {"esse", PT},
    {"essere", IT}, {"est", FR}, {"esta", ES}, {"este", ES | RO}, {"está", ES | PT}, {"et", FR | DA | NO},
    {"ett", SV}, {"etter", NO}, {"että", FI}, {"eu", PT}, {"ez", HU}, {"ezek", HU}, {"ezt", HU}, {"fait", FR},
    {"fel", HU}, {"fi", RO}, {"fins", CA}, {"foarte", RO}, {"foi", PT}, {"for", EN | DA | NO}, {"fordi", DA | NO},
    {"fost", RO}, {"fra", DA | NO}, {"from", EN}, {"från", SV}, {"fue", ES}, {"för", SV}, {"für", DE}, {"fără", RO},
    {"gali", LT}, {"gdzie", PL}, {"geen", NL}, {"gibi", TR}, {"gli", IT}, {"göre", TR}, {"ha", ES | IT | HU | CA},
    {"haar", NL}, {"haben", DE}, {"had", EN}, {"hadde", NO}, {"hade", SV}, {"han", SV | DA | NO}, {"hangi", TR},
    {"hanya", ID}, {"har", SV | DA | NO}, {"harus", ID}, {"has", EN}, {"hasta", ES}, {"hat", DE}, {"havde", DA},
    {"have", EN}, {"havia", CA}, {"hay", ES}, {"he", EN | FI}, {"hebben", NL}, {"heeft", NL},
    {"her", EN | DA | NO | TR}, {"het", NL}, {"hi", CA}, {"hij", NL}, {"him", EN}, {"his", EN}, {"ho", CA},
    {"hoe", NL}, {"hogy", HU}, {"hogyan", HU}, {"hol", HU}, {"hon", SV}, {"how", EN}, {"hun", NL | DA | NO},
    {"hur", SV}, {"hva", NO}, {"hvad", DA}, {"hvor", DA | NO}, {"hvordan", DA | NO}, {"hyvin", FI}, {"há", PT},
    {"hän", FI}, {"hänen", FI}, {"här", SV}, {"i", EN | IT | SV | DA | NO | PL | CS | CA}, {"ich", DE | PL},
    {"if", EN}, {"ihr", DE}, {"ik", NL}, {"iki", LT}, {"ikke", DA | NO}, {"il", FR | IT}, {"ile", TR}, {"ils", FR},
    {"ilyen", HU}, {"im", DE}, {"in", EN | DE | IT | NL}, {"ini", ID}, {"inte", SV}, {"into", EN}, {"ir", LT},
    {"is", EN | NL | HU}, {"ise", TR}, {"isso", PT}, {"ist", DE}, {"it", EN}, {"its", EN}, {"itu", ID},
    {"için", TR}, {"içinde", TR}, {"iš", LT}, {"j", FR}, {"ja", FI}, {"jag", SV}, {"jak", PL | CS},
    {"jako", PL | CS}, {"jau", LT}, {"je", FR | NL | CS}, {"jeg", DA | NO}, {"jego", PL}, {"jeho", CS},
    {"jejich", CS}, {"jen", CS}, {"jest", PL}, {"ji", LT}, {"jie", LT}, {"jis", LT}, {"jo", FI | LT}, {"joita", FI},
    {"joka", FI}, {"jos", FI | LT}, {"jotka", FI}, {"jsem", CS}, {"jsou", CS}, {"juga", ID}, {"już", PL},
    {"já", PT}, {"jälkeen", FI}, {"jų", LT}, {"k", CS}, {"kad", LT}, {"kada", LT}, {"kadar", TR}, {"kaikki", FI},
    {"kaip", LT}, {"kami", ID}, {"kan", NL | SV | DA | NO}, {"kann", DE}, {"kanssa", FI}, {"karena", ID},
    {"kas", LT}, {"kde", CS}, {"kdy", CS}, {"ke", ID}, {"kell", HU}, {"ki", HU | TR}, {"kiedy", PL}, {"kita", ID},
    {"která", CS}, {"které", CS}, {"který", CS}, {"która", PL}, {"które", PL}, {"który", PL}, {"kuin", FI},
    {"kun", DA | FI}, {"kur", LT}, {"kuri", LT}, {"kurie", LT}, {"kuris", LT}, {"között", HU}, {"l", FR | IT | CA},
    {"la", FR | ES | IT | RO | CA}, {"labai", LT}, {"las", ES}, {"le", FR | ES | IT | HU}, {"lebih", ID},
    {"lehet", HU}, {"les", FR | ES | CA}, {"lesz", HU}, {"leur", FR}, {"li", CA}, {"lo", ES | IT}, {"lor", RO},
    {"loro", IT}, {"los", ES}, {"lub", PL}, {"lui", RO}, {"ma", IT | PL}, {"maar", NL}, {"mai", RO},
    {"mais", FR | PT}, {"majd", HU}, {"man", DE | SV | DA | NO}, {"mas", PT}, {"may", EN},
    {"me", EN | ES | PT | FI}, {"med", SV | DA | NO}, {"meer", NL}, {"meg", HU}, {"meget", DA}, {"mehr", DE},
    {"men", SV | DA | NO}, {"mereka", ID}, {"mert", HU}, {"mesmo", PT}, {"met", NL}, {"mezi", CS}, {"mi", HU | TR},
    {"mikor", HU}, {"minden", HU}, {"mint", HU}, {"minä", FI}, {"missä", FI}, {"mit", DE}, {"miten", FI},
    {"mitä", FI}, {"mod", DA}, {"moet", NL}, {"molt", CA}, {"molto", IT}, {"mot", SV | NO}, {"może", PL},
    {"można", PL}, {"muito", PT}, {"mukaan", FI}, {"mutta", FI}, {"muy", ES}, {"my", EN}, {"mycket", SV},
    {"mye", NO}, {"myös", FI}, {"már", HU}, {"más", ES}, {"még", HU}, {"més", CA}, {"même", FR}, {"mı", TR},
    {"může", CS}, {"n", FR}, {"na", PT | PL | CS}, {"naar", NL}, {"nach", DE}, {"nagyon", HU}, {"nas", PT},
    {"nasıl", TR}, {"ne", FR | FI | TR | LT}, {"nebo", CS}, {"neden", TR}, {"nei", IT}, {"nel", IT}, {"nella", IT},
    {"nem", HU}, {"není", CS}, {"než", CS}, {"ni", ES}, {"nicht", DE}, {"nie", PL}, {"niet", NL}, {"niiden", FI},
    {"niin", FI}, {"no", EN | ES | PT | CA}, {"noch", DE}, {"nog", NL}, {"noi", RO}, {"non", IT}, {"nos", ES | PT},
    {"not", EN}, {"nous", FR}, {"nu", SV | DA | RO}, {"nuo", LT}, {"nur", DE}, {"nyt", FI}, {"não", PT},
    {"när", SV}, {"nå", NO}, {"når", DA | NO}, {"nós", PT}, {"o", ES | PT | IT | TR | RO | PL | CS | CA | LT},
    {"och", SV}, {"också", SV}, {"od", PL | CS}, {"oder", DE}, {"of", EN | NL}, {"og", DA | NO}, {"også", DA | NO},
    {"olan", TR}, {"olarak", TR}, {"oldu", TR}, {"olduğu", TR}, {"olduğunu", TR}, {"ole", FI}, {"oleh", ID},
    {"oli", FI}, {"olivat", FI}, {"olla", FI}, {"ollut", FI}, {"olyan", HU}, {"om", NL | SV | DA | NO},
    {"on", EN | FR | FI | CA}, {"onlar", TR}, {"ons", NL}, {"ont", FR}, {"onze", NL}, {"ook", NL}, {"op", NL},
    {"or", EN}, {"oraz", PL}, {"os", PT}, {"otros", ES}, {"ou", FR | PT}, {"our", EN}, {"ovat", FI},
    {"over", NL | DA | NO}, {"où", FR}, {"pada", ID}, {"par", FR}, {"para", ES | PT | ID}, {"pas", FR}, {"pat", LT},
    {"pe", RO}, {"pel", CA}, {"pela", PT}, {"pelo", PT}, {"pels", CA}, {"pentru", RO}, {"per", IT | CA | LT},
    {"perché", IT}, {"pero", ES}, {"perquè", CA}, {"però", CA}, {"peut", FR}, {"più", IT}, {"plus", FR},
    {"po", PL | CS | LT}, {"pod", PL | CS}, {"podle", CS}, {"por", ES | PT}, {"porque", ES}, {"pour", FR},
    {"prie", LT}, {"prin", RO}, {"pro", CS}, {"proč", CS}, {"przez", PL}, {"przy", PL}, {"până", RO},
    {"på", SV | DA | NO}, {"před", CS}, {"při", CS}, {"qu", FR}, {"qual", PT}, {"quan", CA}, {"quand", FR},
    {"quando", PT | IT}, {"que", FR | ES | PT | CA}, {"quel", FR}, {"quelle", FR}, {"quem", PT}, {"questa", IT},
    {"questo", IT}, {"qui", FR | CA}, {"quien", ES}, {"què", CA}, {"qué", ES}, {"s", FR | CS | CA}, {"sa", FR},
    {"saat", ID}, {"sans", FR}, {"sau", RO}, {"saya", ID}, {"se", FR | ES | PT | IT | FI | RO | CS},
    {"sebagai", ID}, {"secara", ID}, {"seg", NO}, {"sein", DE}, {"sekä", FI}, {"sem", PT | HU}, {"sen", FI | TR},
    {"sense", CA}, {"seperti", ID}, {"ser", PT | CA}, {"ses", FR}, {"setelah", ID}, {"seu", PT | CA}, {"seus", PT},
    {"seva", CA}, {"she", EN}, {"si", FR | IT}, {"sich", DE}, {"sie", DE}, {"sig", SV | DA}, {"siitä", FI},
    {"sin", ES}, {"sina", SV}, {"sind", DE}, {"sinä", FI}, {"sitä", FI}, {"siz", TR}, {"się", PL}, {"ska", SV},
    {"skal", DA | NO}, {"skulle", SV | DA | NO}, {"so", EN | DE}, {"sobre", ES | CA}, {"som", SV | DA | NO},
    {"son", FR | ES}, {"sono", IT}, {"sonra", TR}, {"sont", FR}, {"stato", IT}, {"su", ES | IT | LT},
    {"sua", PT | IT}, {"sub", RO}, {"sudah", ID}, {"sul", IT}, {"sulla", IT}, {"sunt", RO}, {"suo", IT},
    {"sur", FR}, {"sus", ES}, {"são", PT}, {"så", SV | DA | NO}, {"sí", ES}, {"só", PT}, {"són", CA}, {"są", PL},
    {"ta", PL}, {"tai", FI | LT}, {"taip", LT}, {"tak", PL | CS}, {"také", CS}, {"także", PL}, {"también", ES},
    {"també", CA}, {"também", PT}, {"tarafından", TR}, {"tarp", LT}, {"tato", CS}, {"te", NL | PL}, {"tego", PL},
    {"telah", ID}, {"tem", PT}, {"ten", PL}, {"tento", CS}, {"ter", PT}, {"tersebut", ID}, {"than", EN},
    {"that", EN}, {"the", EN}, {"their", EN}, {"there", EN}, {"these", EN}, {"they", EN}, {"this", EN}, {"ti", HU},
    {"tidak", ID}, {"tik", LT}, {"til", DA | NO}, {"till", SV}, {"to", EN | PL | CS}, {"todo", ES}, {"todos", ES},
    {"tot", NL | CA}, {"toto", CS}, {"tout", FR}, {"turi", LT}, {"tutto", IT}, {"tylko", PL}, {"tym", PL},
    {"tämä", FI}, {"tässä", FI}, {"több", HU}, {"uden", DA}, {"uit", NL}, {"um", DE | PT}, {"uma", PT},
    {"un", FR | ES | IT | RO | CA}, {"una", ES | IT | CA}, {"und", DE}, {"unde", RO}, {"une", FR}, {"uno", ES},
    {"untuk", ID}, {"utan", SV}, {"uten", NO}, {"után", HU}, {"už", CS | LT}, {"v", CS}, {"va", CA}, {"vad", SV},
    {"vagy", HU}, {"vain", FI}, {"van", NL | HU}, {"var", SV | DA | NO | TR}, {"ve", TR | CS}, {"ved", DA | NO},
    {"veel", NL}, {"velmi", CS}, {"veya", TR}, {"vi", SV | DA | NO}, {"vid", SV}, {"vielä", FI}, {"você", PT},
    {"voi", FI | RO}, {"volt", HU}, {"von", DE}, {"voor", NL}, {"vor", DE}, {"vous", FR}, {"være", DA | NO},
    {"w", PL}, {"waar", NL}, {"war", DE}, {"warum", DE}, {"was", EN | DE | NL}, {"wat", NL}, {"we", EN | NL},
    {"wel", NL}, {"wenn", DE}, {"werd", NL}, {"werden", DE}, {"were", EN}, {"what", EN}, {"when", EN},
    {"where", EN}, {"which", EN}, {"who", EN}, {"why", EN}, {"wie", DE}, {"will", EN}, {"wir", DE}, {"wird", DE},
    {"with", EN}, {"wo", DE}, {"worden", NL}, {"wordt", NL}, {"would", EN}, {"wurde", DE}, {"y", ES},
    {"ya", ES | TR}, {"yang", ID}, {"yok", TR}, {"you", EN}, {"your", EN}, {"yra", LT}, {"z", PL | CS},
    {"za", PL | CS}, {"ze", NL | PL | CS}, {"zijn", NL}, {"zo", NL}, {"zu", DE}, {"zum", DE}, {"zur", DE},
    {"à", PT}, {"är", SV}, {"även", SV}, {"år", SV}, {"çok", TR}, {"è", IT}, {"én", HU}, {"és", HU | CA},
    {"été", FR}, {"être", FR}, {"în", RO}, {"între", RO}, {"önce", TR}, {"över", SV}, {"über", DE},
    {"üzerinde", TR}, {"į", LT}, {"ő", HU}, {"ők", HU}, {"şey", TR}, {"ši", LT}, {"šis", LT}, {"że", PL},
    {"že", CS}, {"și", RO}, {"ένα", EL}, {"ή", EL}, {"αν", EL}, {"από", EL}, {"αυτό", EL}, {"για", EL},
    {"γιατί", EL}, {"δεν", EL}, {"είναι", EL}, {"η", EL}, {"θα", EL}, {"και", EL}, {"μασ", EL}, {"με", EL},
    {"μια", EL}, {"να", EL}, {"ο", EL}, {"οι", EL}, {"που", EL}, {"πού", EL}, {"πωσ", EL}, {"σασ", EL}, {"σε", EL},
    {"στην", EL}, {"στο", EL}, {"τα", EL}, {"τη", EL}, {"την", EL}, {"τησ", EL}, {"το", EL}, {"τον", EL},
    {"του", EL}, {"τουσ", EL}, {"των", EL}, {"ωσ", EL}, {"όταν", EL}, {"ότι", EL}, {"а", RU}, {"або", UK},
    {"але", UK}, {"али", SR}, {"б", UK}, {"без", BG | SR}, {"беше", BG}, {"би", SR}, {"била", SR}, {"било", SR},
    {"био", SR}, {"був", UK}, {"було", UK}, {"бути", UK}, {"бъде", BG}, {"бы", RU}, {"был", RU}, {"было", RU},
    {"быть", RU}, {"в", RU | UK | BG}, {"вже", UK}, {"ви", UK}, {"вона", UK}, {"врло", SR}, {"все", RU},
    {"всі", UK}, {"вы", RU}, {"від", UK}, {"где", RU | SR}, {"да", BG | SR}, {"де", UK}, {"для", RU | UK},
    {"до", RU | UK | BG | SR}, {"дуже", UK}, {"е", BG}, {"его", RU}, {"если", RU}, {"есть", RU}, {"ж", UK},
    {"же", RU}, {"з", UK}, {"за", RU | UK | BG | SR}, {"защо", BG}, {"због", SR}, {"и", RU | BG | SR}, {"из", RU},
    {"између", SR}, {"или", RU | BG | SR}, {"има", BG | SR}, {"их", RU}, {"й", UK}, {"його", UK}, {"к", RU},
    {"када", SR}, {"как", RU}, {"какво", BG}, {"као", SR}, {"като", BG}, {"кога", BG}, {"когда", RU}, {"което", BG},
    {"които", BG}, {"който", BG}, {"коли", UK}, {"которые", RU}, {"который", RU}, {"която", BG}, {"која", SR},
    {"које", SR}, {"који", SR}, {"кроз", SR}, {"кто", RU}, {"къде", BG}, {"към", BG}, {"между", RU | BG},
    {"ми", UK}, {"много", BG}, {"може", UK | BG | SR}, {"может", RU}, {"му", BG}, {"мы", RU}, {"між", UK},
    {"на", RU | UK | BG | SR}, {"над", BG | SR}, {"не", RU | UK | BG | SR}, {"немає", UK}, {"нет", RU},
    {"но", RU | BG}, {"о", RU | UK}, {"ово", SR}, {"од", SR}, {"он", RU | SR}, {"она", RU | SR}, {"они", SR},
    {"от", RU | BG}, {"очень", RU}, {"още", BG}, {"по", RU | UK | BG}, {"под", BG | SR}, {"после", RU | SR},
    {"през", BG}, {"при", RU | UK | BG | SR}, {"про", UK}, {"після", UK}, {"с", RU | BG}, {"са", BG | SR},
    {"само", BG | SR}, {"се", BG | SR}, {"след", BG}, {"су", SR}, {"та", UK}, {"так", RU | UK}, {"така", BG},
    {"также", RU}, {"тако", SR}, {"також", UK}, {"те", BG}, {"ти", UK}, {"то", RU | SR}, {"това", BG}, {"той", BG},
    {"только", RU}, {"ты", RU}, {"тя", BG}, {"тільки", UK}, {"у", RU | UK | SR}, {"уже", RU}, {"хто", UK},
    {"це", UK}, {"цього", UK}, {"че", BG}, {"что", RU}, {"чтобы", RU}, {"шта", SR}, {"што", SR}, {"ще", BG},
    {"що", UK}, {"щоб", UK}, {"это", RU}, {"этого", RU}, {"я", RU}, {"як", UK}, {"який", UK}, {"якщо", UK},
    {"які", UK}, {"є", UK}, {"і", UK}, {"із", UK}, {"їх", UK}, {"је", SR}, {"још", SR}, {"ће", SR}, {"آن", FA},
    {"آنها", FA}, {"أن", AR}, {"أو", AR}, {"أي", AR}, {"إلى", AR}, {"إن", AR}, {"از", FA}, {"اس", UR}, {"است", FA},
    {"التي", AR}, {"الذي", AR}, {"اما", FA}, {"ان", UR}, {"او", FA}, {"اور", UR}, {"اپنے", UR}, {"اگر", FA},
    {"این", FA}, {"ایک", UR}, {"با", FA}, {"باید", FA}, {"بر", FA}, {"برای", FA}, {"بعد", AR}, {"به", AR | FA},
    {"بود", FA}, {"بين", AR}, {"بھی", UR}, {"تا", FA}, {"تو", UR}, {"تھا", UR}, {"تھی", UR}, {"تھے", UR},
    {"ثم", AR}, {"جو", UR}, {"حتى", AR}, {"حيث", AR}, {"خود", FA}, {"دارد", FA}, {"در", FA}, {"ذلك", AR},
    {"را", FA}, {"سے", UR}, {"شد", FA}, {"شده", FA}, {"شود", FA}, {"على", AR}, {"عليه", AR}, {"عن", AR},
    {"عند", AR}, {"غير", AR}, {"في", AR}, {"فيه", AR}, {"قبل", AR}, {"قد", AR}, {"كان", AR}, {"كانت", AR},
    {"كل", AR}, {"كما", AR}, {"كيف", AR}, {"لا", AR}, {"لكن", AR}, {"لم", AR}, {"لماذا", AR}, {"لن", AR},
    {"له", AR}, {"لیے", UR}, {"ما", AR | FA}, {"مع", AR}, {"من", AR | FA}, {"منذ", AR}, {"می", FA}, {"میں", UR},
    {"نمی", FA}, {"نہیں", UR}, {"نیز", FA}, {"نے", UR}, {"ها", FA}, {"های", FA}, {"هذا", AR}, {"هذه", AR},
    {"هر", FA}, {"هل", AR}, {"هم", FA}, {"همه", FA}, {"هناك", AR}, {"هو", AR}, {"هي", AR}, {"و", FA}, {"وقد", AR},
    {"وہ", UR}, {"پر", UR}, {"پس", FA}, {"چرا", FA}, {"چه", FA}, {"چگونه", FA}, {"کا", UR}, {"کجا", FA}, {"کر", UR},
    {"کرد", FA}, {"کند", FA}, {"که", FA}, {"کو", UR}, {"کچھ", UR}, {"کہ", UR}, {"کی", UR}, {"کیا", UR},
    {"کیسے", UR}, {"کیوں", UR}, {"کے", UR}, {"گیا", UR}, {"ہو", UR}, {"ہی", UR}, {"ہیں", UR}, {"ہے", UR},
    {"یا", FA | UR}, {"یک", FA}, {"یہ", UR}, {"अपने", HI}, {"असे", MR}, {"आणि", MR}, {"आहे", MR}, {"आहेत", MR},
    {"इस", HI}, {"उस", HI}, {"एक", HI | NE | MR}, {"और", HI}, {"कर", HI}, {"करून", MR}, {"कसरी", NE}, {"कसे", MR},
    {"कहाँ", HI | NE}, {"का", HI | NE | MR}, {"काय", MR}, {"कि", HI}, {"किन", NE}, {"की", HI | NE | MR},
    {"कुछ", HI}, {"कुठे", MR}, {"के", HI | NE}, {"कैसे", HI}, {"को", HI | NE}, {"क्या", HI}, {"क्यों", HI},
    {"गरी", NE}, {"गरेको", NE}, {"गर्न", NE}, {"गर्ने", NE}, {"च्या", MR}, {"छ", NE}, {"छन्", NE}, {"छैन", NE},
    {"जब", HI}, {"जो", HI}, {"तक", HI}, {"तर", NE}, {"ते", MR}, {"तो", HI | MR}, {"त्या", MR}, {"त्यो", NE},
    {"था", HI}, {"थियो", NE}, {"थी", HI}, {"थे", HI}, {"नहीं", HI}, {"नाही", MR}, {"ने", HI}, {"पण", MR},
    {"पनि", NE}, {"पर", HI}, {"बाट", NE}, {"भएको", NE}, {"भने", NE}, {"भी", HI}, {"मध्ये", MR}, {"मा", NE},
    {"में", HI}, {"यह", HI}, {"या", HI | MR}, {"ये", HI}, {"यो", NE}, {"र", NE}, {"लागि", NE}, {"लिए", HI},
    {"व", MR}, {"वह", HI}, {"सँग", NE}, {"साठी", MR}, {"साथ", HI}, {"से", HI}, {"ही", MR}, {"हुन्", NE}, {"हे", MR},
    {"है", HI}, {"हैं", HI}, {"हो", HI | NE}, {"होता", MR}, {"होते", MR},
};
/* clang-format on */
const size_t function_words_count = sizeof(function_words) / sizeof(function_words[0]);
