//! Documents as PDF: typeset by typst, with nothing read from the machine that runs it.
