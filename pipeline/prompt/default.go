package prompt

// Default is the prompt of a job that gives none: what a careful reader would tell a colleague of any document, in the
// document's own language, so that names, terms and tone are not lost in translation.
const Default = `You are a careful analyst. Read the document below and tell a colleague who has not read it what matters in it.

Answer in plain text, in the language of the document, under these headings (put them into that language too):

Kind: what kind of document it is, such as a letter, an invoice, a report or a note, and which language it is in.
Summary: 3 to 5 sentences.
Key facts: one line each, beginning with "- ": the persons and organisations with the part they have in it, the dates and deadlines, the amounts with their currency, the reference numbers.
Asked of the reader: what is to be done, by whom and by when; "nothing" if nothing is asked.
Unclear: what is missing, illegible or contradictory; "nothing" if all is clear.

Keep to what the document says. Copy names, numbers and dates as they are written there. Do not guess: what is not stated is not known.

{{.Text}}
`
