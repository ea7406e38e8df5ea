"""Writes tests/fixtures/embedding/minilm.json: texts, their WordPiece numbers, and their MiniLM vectors.

    pip install sentence-transformers
    python tests/reference/embed_reference.py FOLDER_OF_ALL_MINILM_L6_V2

The numbers come from the `tokenizers` package (without special tokens, uncut), the vectors from
sentence-transformers in 32 bits, as ten-thousandths. The tests of src/inference/local/ compare with both.
"""
import json
import sys
from pathlib import Path

from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

LESSON = (
    "In this lesson we build a small search engine. First we split every page into passages of about one hundred "
    "words, because a long page mixes several topics. Then we count how often each word occurs and how rare it is "
    "in the whole course. A rare word that appears in the question and in a passage is strong evidence; a common "
    "word such as \"the\" is none. Finally we sort the passages by their score and show the best three. "
)
TEXTS = [
    "a", "?", "refund", "Refund policy", "How do I get a refund?", "HOW DO I GET A REFUND???", "how do i get a refund",
    "Where can I find the certificate of completion?", "What is the difference between a list and a tuple in Python?",
    "The course starts on 15 January 2024 at 17:00 UTC.", "E = mc², ∑ xᵢ ≤ 10⁻³ and 50 % of ½",
    "I can't open the video -- it says \"error 0x80070005\" (access denied)!", "pip install --upgrade numpy==1.26.4",
    "for i in range(10):\n\tprint(f\"{i:>3} squared is {i**2}\")\n", "https://example.org/a/b?c=d&e=f#g", "student@example.org",
    "antidisestablishmentarianism", "pneumonoultramicroscopicsilicovolcanoconiosis " + "x" * 101 + " end",
    "naïve café résumé Ångström Übergröße ŁÓDŹ İstanbul ﬁne", "cafe\u0301 n\u0303 o\u0308 a\u030a", "tab\tnew\nline\r\nnbsp\u00a0thin\u2009ideographic\u3000end",
    "zero\u200bwidth joiner\u200dand\ufeffmark soft\u00adhyphen \ufffd \u0007bell", "[CLS is not] a token, nor is <s> or ##ing",
    "“curly” ‘quotes’ — dashes – and … ellipsis «guillemets» ¿qué? ¡sí!", "emoji 😀 👩‍🎓 🇩🇪 ✅ ★ and symbols © ® ™ € £ ¥",
    "Wie bekomme ich mein Geld zurück?", "¿Cómo puedo obtener un reembolso del curso?", "Comment obtenir un remboursement ?",
    "Как получить возврат денег за курс?", "Πώς μπορώ να πάρω πίσω τα χρήματά μου;", "Як отримати сертифікат? Її їжак.",
    "كيف يمكنني استرداد أموالي؟ الدَّرْسُ الأوَّل", "איך אני מקבל החזר כספי? שָׁלוֹם", "मुझे धन वापसी कैसे मिलेगी? हिन्दी में पाठ", "எனக்கு பணம் எப்படி திரும்ப கிடைக்கும்?",
    "ฉันจะขอเงินคืนได้อย่างไร", "我怎样才能退款？这门课什么时候开始？", "返金はどうすれば受けられますか。「第一課」カタカナ", "환불은 어떻게 받나요? 수업은 언제 시작하나요?",
    "Làm thế nào để được hoàn tiền?", "Nasıl geri ödeme alabilirim? IĞDIR", "ما هو الفرق between RAM and ROM 和 CPU?", "ქართული ტექსტი და հայերեն տեքստ",
    "𝐛𝐨𝐥𝐝 𝓼𝓬𝓻𝓲𝓹𝓽 ｆｕｌｌｗｉｄｔｈ １２３ 𠀀𪜀", "3.14159265358979 1,000,000.00 12:30:59 2024-01-15 +49 (0)30 1234-5678", "snake_case camelCase kebab-case SCREAMING_CASE a.b.c",
    LESSON.split(". ")[1] + ".", LESSON, LESSON * 2, LESSON * 4,
]


def main():
    folder = Path(sys.argv[1])
    assert len(TEXTS) == len(set(TEXTS)) == 50, len(TEXTS)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    model = SentenceTransformer(str(folder), device="cpu")
    model.max_seq_length = 256
    vectors = [model.encode([text], normalize_embeddings=True)[0] for text in TEXTS]
    rows = []
    for text, vector in zip(TEXTS, vectors):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        rows.append({"text": text, "ids": ids, "vector": [round(float(v) * 1e4) for v in vector]})
    out = Path(__file__).parent.parent / "fixtures" / "embedding" / "minilm.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in rows)
    out.write_text(f"[\n{lines}\n]\n")
    print(out, out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
