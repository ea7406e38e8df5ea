//! Function words of the languages that are recognised by them; the words a search does not look for.
//!
//! Each list is sorted by bytes, lower case, without apostrophes (`dont` for `don't`): a test holds that.
//! Written for this program: articles, pronouns, prepositions, auxiliaries, question words.

/// English.
#[rustfmt::skip]
pub(super) const EN: &[&str] = &[
    "a", "about", "all", "also", "am", "an", "and", "any", "are", "arent", "as", "at", "be", "because",
    "been", "being", "both", "but", "by", "can", "cannot", "cant", "could", "couldnt", "d", "did", "didnt",
    "do", "does", "doesnt", "doing", "done", "dont", "each", "few", "for", "from", "get", "got", "had",
    "hadnt", "has", "hasnt", "have", "havent", "having", "he", "her", "here", "hers", "him", "his", "how",
    "i", "if", "im", "in", "into", "is", "isnt", "it", "its", "ive", "just", "let", "lets", "like", "ll",
    "m", "may", "me", "might", "mine", "more", "most", "must", "my", "need", "no", "nor", "not", "of",
    "off", "on", "only", "onto", "or", "other", "our", "ours", "out", "over", "own", "re", "s", "same",
    "shall", "she", "should", "shouldnt", "so", "some", "such", "t", "than", "that", "thats", "the",
    "their", "theirs", "them", "then", "there", "theres", "these", "they", "this", "those", "to", "too",
    "under", "up", "upon", "us", "ve", "very", "was", "wasnt", "we", "were", "werent", "what", "whats",
    "when", "where", "which", "while", "who", "whom", "whose", "why", "will", "with", "wont", "would",
    "wouldnt", "you", "your", "yours",
];

/// German.
#[rustfmt::skip]
pub(super) const DE: &[&str] = &[
    "aber", "alle", "allem", "allen", "aller", "alles", "als", "also", "am", "an", "ander", "andere",
    "anderen", "auch", "auf", "aus", "bei", "beim", "bin", "bis", "bist", "da", "damit", "dann", "das",
    "dass", "daß", "dein", "deine", "dem", "den", "denn", "der", "deren", "des", "dessen", "die", "dies",
    "diese", "diesem", "diesen", "dieser", "dieses", "doch", "dort", "du", "durch", "ein", "eine", "einem",
    "einen", "einer", "eines", "er", "es", "etwas", "euch", "für", "gegen", "gibt", "habe", "haben", "hat",
    "hatte", "hatten", "hier", "hin", "hinter", "ich", "ihm", "ihn", "ihnen", "ihr", "ihre", "ihrem",
    "ihren", "ihrer", "im", "in", "ins", "ist", "ja", "jede", "jedem", "jeden", "jeder", "jedes", "jetzt",
    "kann", "kannst", "kein", "keine", "keinem", "keinen", "keiner", "können", "könnte", "man", "manche",
    "mehr", "mein", "meine", "meinem", "meinen", "meiner", "mich", "mir", "mit", "muss", "müssen", "nach",
    "nicht", "noch", "nun", "nur", "ob", "oder", "ohne", "sehr", "sein", "seine", "seinem", "seinen",
    "seiner", "seit", "sich", "sie", "sind", "so", "soll", "sollen", "sollte", "sondern", "um", "und",
    "uns", "unser", "unter", "viel", "viele", "vielen", "vom", "von", "vor", "wann", "war", "waren",
    "warum", "was", "welche", "welchem", "welchen", "welcher", "welches", "wem", "wen", "wenn", "wer",
    "werde", "werden", "wessen", "wie", "wieder", "wieviel", "will", "wir", "wird", "wo", "worden", "wurde",
    "wurden", "während", "zu", "zum", "zur", "zwischen", "über",
];

/// Spanish.
#[rustfmt::skip]
pub(super) const ES: &[&str] = &[
    "a", "al", "algo", "algunas", "algunos", "ante", "antes", "aquel", "aquella", "como", "con", "contra",
    "cual", "cuales", "cualquier", "cuando", "cuanta", "cuantas", "cuanto", "cuantos", "cuál", "cuáles",
    "cuándo", "cuánta", "cuántas", "cuánto", "cuántos", "cómo", "de", "del", "desde", "donde", "durante",
    "dónde", "e", "el", "ella", "ellas", "ellos", "en", "entre", "era", "eran", "es", "esa", "esas", "ese",
    "eso", "esos", "esta", "estaba", "estado", "estamos", "estar", "estas", "este", "esto", "estos", "está",
    "están", "fue", "fueron", "ha", "haber", "había", "habían", "hacer", "han", "hasta", "hay", "he", "la",
    "las", "le", "les", "lo", "los", "me", "mi", "mis", "mucho", "muchos", "muy", "más", "ni", "no", "nos",
    "nosotros", "nuestra", "nuestro", "o", "os", "otra", "otras", "otro", "otros", "para", "pero", "poco",
    "por", "porque", "pueda", "puede", "pueden", "puedo", "que", "quien", "quienes", "quién", "quiénes",
    "qué", "se", "ser", "si", "sido", "sin", "sobre", "son", "su", "sus", "sí", "también", "tanto", "te",
    "tengo", "tiene", "tienen", "todo", "todos", "tu", "tus", "un", "una", "unas", "uno", "unos", "usted",
    "y", "ya", "yo",
];

/// French.
#[rustfmt::skip]
pub(super) const FR: &[&str] = &[
    "a", "afin", "ai", "au", "aucun", "aussi", "autre", "autres", "aux", "avec", "avez", "avoir", "avons",
    "c", "ce", "cela", "ces", "cet", "cette", "ceux", "chaque", "comme", "comment", "d", "dans", "de",
    "des", "dois", "doit", "donc", "dont", "du", "elle", "elles", "en", "entre", "es", "est", "et", "eu",
    "eux", "faire", "fait", "faut", "il", "ils", "j", "je", "l", "la", "le", "les", "leur", "leurs", "lui",
    "là", "m", "ma", "mais", "me", "mes", "moi", "mon", "même", "n", "ne", "nos", "notre", "nous", "on",
    "ont", "or", "ou", "où", "par", "pas", "peu", "peut", "peux", "plus", "pour", "pourquoi", "qu", "quand",
    "que", "quel", "quelle", "quelles", "quels", "qui", "quoi", "s", "sa", "sans", "se", "ses", "si",
    "soit", "son", "sont", "sous", "sur", "t", "ta", "te", "tes", "toi", "ton", "tous", "tout", "toute",
    "toutes", "tu", "un", "une", "vers", "vos", "votre", "vous", "y", "à", "ça", "étaient", "était", "été",
    "être",
];

/// Italian.
#[rustfmt::skip]
pub(super) const IT: &[&str] = &[
    "a", "ad", "agli", "ai", "al", "alla", "alle", "allo", "anche", "c", "che", "chi", "ci", "cioè", "come",
    "con", "cosa", "così", "cui", "d", "da", "dagli", "dai", "dal", "dalla", "dalle", "degli", "dei", "del",
    "della", "delle", "dello", "di", "dopo", "dove", "due", "e", "ed", "era", "erano", "essere", "fare",
    "gli", "ha", "hai", "hanno", "ho", "i", "il", "in", "io", "l", "la", "le", "lei", "li", "lo", "loro",
    "lui", "ma", "me", "mi", "mia", "mio", "molto", "nei", "nel", "nella", "nelle", "noi", "non", "nostra",
    "nostro", "o", "ogni", "per", "perché", "però", "più", "po", "poi", "posso", "può", "qual", "quale",
    "quali", "quando", "quanta", "quante", "quanti", "quanto", "quella", "quelle", "quelli", "quello",
    "questa", "queste", "questi", "questo", "qui", "se", "sei", "si", "sia", "siamo", "solo", "sono", "sta",
    "stato", "sua", "sue", "sui", "sul", "sulla", "suo", "tra", "tu", "tua", "tuo", "tutti", "tutto", "un",
    "una", "uno", "vi", "voi", "è",
];

/// Portuguese.
#[rustfmt::skip]
pub(super) const PT: &[&str] = &[
    "a", "ao", "aos", "as", "assim", "até", "com", "como", "da", "das", "de", "dela", "dele", "deles",
    "depois", "do", "dos", "e", "ela", "elas", "ele", "eles", "em", "entre", "era", "eram", "essa", "esse",
    "esta", "estar", "estas", "este", "estes", "estou", "está", "estão", "eu", "foi", "foram", "fosse",
    "há", "isso", "isto", "já", "lhe", "mais", "mas", "me", "mesmo", "meu", "meus", "minha", "minhas",
    "muito", "na", "nas", "nem", "no", "nos", "nossa", "nosso", "não", "o", "onde", "os", "ou", "para",
    "pela", "pelas", "pelo", "pelos", "pode", "podem", "por", "porque", "posso", "quais", "qual", "quando",
    "quanto", "quantos", "que", "quem", "se", "sem", "ser", "será", "seu", "seus", "sim", "sobre", "sua",
    "suas", "são", "só", "também", "te", "tem", "tenho", "ter", "teu", "tua", "tudo", "um", "uma", "umas",
    "uns", "vai", "você", "vocês", "à", "às", "é",
];

/// Dutch.
#[rustfmt::skip]
pub(super) const NL: &[&str] = &[
    "aan", "af", "al", "alle", "als", "altijd", "andere", "ben", "bij", "daar", "dan", "dat", "de", "der",
    "deze", "die", "dit", "doen", "door", "dus", "een", "en", "er", "ge", "geen", "had", "heb", "hebben",
    "heeft", "hem", "het", "hier", "hij", "hoe", "hoeveel", "hun", "ik", "in", "is", "ja", "je", "jij",
    "jouw", "jullie", "kan", "kon", "kun", "kunnen", "maar", "me", "meer", "men", "met", "mij", "mijn",
    "moet", "moeten", "na", "naar", "niet", "niets", "nog", "nu", "of", "om", "omdat", "ons", "onze", "ook",
    "op", "over", "te", "tegen", "toch", "toen", "tot", "u", "uit", "uw", "van", "veel", "voor", "waar",
    "waarom", "wanneer", "want", "waren", "was", "wat", "we", "wel", "welk", "welke", "werd", "wie", "wij",
    "wil", "worden", "wordt", "zal", "ze", "zelf", "zich", "zij", "zijn", "zo", "zonder", "zou",
];

/// Swedish.
#[rustfmt::skip]
pub(super) const SV: &[&str] = &[
    "alla", "allt", "att", "av", "blev", "bli", "blir", "de", "dem", "den", "denna", "deras", "dess", "det",
    "detta", "dig", "din", "ditt", "du", "där", "då", "efter", "ej", "eller", "en", "er", "ett", "från",
    "för", "ha", "hade", "han", "hans", "har", "hennes", "hon", "honom", "hur", "här", "i", "icke", "inte",
    "ja", "jag", "kan", "kunde", "man", "med", "mellan", "men", "mig", "min", "mina", "mitt", "mot",
    "mycket", "många", "måste", "ni", "nu", "när", "något", "några", "och", "om", "oss", "på", "sedan",
    "sig", "sin", "sina", "sitt", "ska", "skall", "skulle", "som", "så", "till", "under", "upp", "ut",
    "utan", "vad", "var", "vara", "varför", "vars", "vem", "vi", "vid", "vilka", "vilken", "vilket", "vill",
    "är", "åt", "över",
];

/// Danish.
#[rustfmt::skip]
pub(super) const DA: &[&str] = &[
    "af", "alle", "alt", "anden", "at", "blev", "blive", "bliver", "da", "de", "dem", "den", "denne", "der",
    "deres", "det", "dette", "dig", "din", "du", "efter", "ej", "eller", "en", "end", "er", "et", "for",
    "fra", "få", "ham", "han", "hans", "har", "havde", "hende", "hendes", "her", "hos", "hun", "hvad",
    "hvem", "hvilke", "hvilken", "hvis", "hvor", "hvordan", "hvorfor", "hvornår", "i", "ikke", "ind", "ja",
    "jeg", "jer", "kan", "kunne", "man", "mange", "med", "meget", "men", "mig", "min", "mine", "mit", "mod",
    "må", "ned", "noget", "nogle", "nu", "når", "og", "også", "om", "op", "os", "over", "på", "selv", "sig",
    "sin", "sine", "sit", "skal", "skulle", "som", "sådan", "til", "ud", "under", "var", "ved", "vi", "vil",
    "ville", "vor", "være", "været",
];

/// Norwegian.
#[rustfmt::skip]
pub(super) const NO: &[&str] = &[
    "alle", "at", "av", "bare", "begge", "ble", "bli", "blir", "da", "de", "deg", "dem", "den", "denne",
    "der", "dere", "deres", "det", "dette", "din", "disse", "du", "eller", "en", "er", "et", "etter", "for",
    "fordi", "fra", "få", "før", "ha", "hadde", "han", "hans", "har", "hennes", "her", "hun", "hva", "hvem",
    "hver", "hvilken", "hvis", "hvor", "hvordan", "hvorfor", "i", "ikke", "ja", "jeg", "kan", "kunne",
    "man", "mange", "med", "meg", "meget", "mellom", "men", "min", "mitt", "mot", "må", "ned", "noe",
    "noen", "nå", "når", "og", "også", "om", "opp", "oss", "over", "på", "samme", "seg", "selv", "sin",
    "sine", "sitt", "skal", "skulle", "slik", "som", "så", "til", "um", "under", "ut", "uten", "var", "ved",
    "vi", "vil", "ville", "vår", "være", "vært",
];

/// Russian.
#[rustfmt::skip]
pub(super) const RU: &[&str] = &[
    "а", "без", "более", "бы", "был", "была", "были", "было", "быть", "в", "вам", "вас", "весь", "во",
    "вот", "все", "всего", "всех", "вы", "где", "да", "даже", "для", "до", "его", "ее", "если", "есть",
    "еще", "её", "же", "за", "и", "из", "или", "им", "их", "к", "как", "какая", "какие", "какой", "ко",
    "когда", "который", "кто", "ли", "между", "меня", "мне", "можно", "мой", "мы", "на", "над", "надо",
    "нас", "не", "него", "нее", "нет", "ни", "них", "но", "ну", "о", "об", "однако", "он", "она", "они",
    "оно", "от", "очень", "по", "под", "при", "с", "сколько", "со", "так", "также", "такой", "там", "те",
    "тем", "то", "того", "тоже", "той", "только", "том", "ты", "у", "уже", "чего", "чем", "что", "чтобы",
    "чья", "эта", "эти", "это", "этого", "этой", "этот", "я",
];

/// Turkish.
#[rustfmt::skip]
pub(super) const TR: &[&str] = &[
    "ama", "ancak", "bana", "bazı", "ben", "beni", "benim", "bile", "bir", "biri", "biz", "bu", "buna",
    "bunu", "bunun", "da", "daha", "de", "değil", "diye", "en", "gibi", "hangi", "hem", "hep", "her", "hiç",
    "ile", "ise", "için", "kadar", "ki", "kim", "kimi", "kimin", "mi", "mu", "mü", "mı", "nasıl", "ne",
    "neden", "nedir", "nerede", "niye", "o", "olan", "olarak", "oldu", "on", "ona", "onu", "onun", "sen",
    "siz", "tüm", "var", "ve", "veya", "ya", "yani", "yok", "çok", "şey", "şu",
];
