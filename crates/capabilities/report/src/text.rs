//! What texts may hold on paper: what the fonts can show, and no more than fits.

use crate::world::fonts;

/// The longest run of letters without a place to break, before one is made.
const LONGEST_WORD: usize = 18;
/// What a text costs at least: many short ones take as long to set as a long one.
const LEAST: usize = 8;
/// A place where a line may break, of no width.
const BREAK: char = '\u{200b}';
/// What stands for a character that cannot be shown.
const REPLACED: char = '\u{fffd}';

/// Turns texts into ones that can be set, and remembers whether one had to be changed.
#[derive(Debug)]
pub(crate) struct Cleaner {
    /// So many letters may still be set.
    pub(crate) left: usize,
    /// Some characters are written by their codes.
    pub(crate) coded: bool,
    /// Some texts were cut.
    pub(crate) cut: bool,
}

impl Cleaner {
    /// One of at most about `left` letters in all its lines.
    pub(crate) const fn new(left: usize) -> Self {
        Self { left, coded: false, cut: false }
    }

    /// `text`, of at most `most` characters, and of no more than are left. What no font has, what no paper can show and what would
    /// turn the direction of what follows is written by its code, as in `[U+0007]`; white space is a space; joiners and selectors
    /// are left out.
    pub(crate) fn line(&mut self, text: &str, most: usize) -> String {
        let most = most.min(self.left);
        let mut out = String::with_capacity(text.len().min(4 * most));
        let mut length = 0;
        let mut run = 0;
        let mut in_code = false;
        for letter in text.trim().chars() {
            if is_left_out(letter) {
                continue;
            }
            if length >= most {
                self.cut = true;
                close(&mut out, &mut in_code);
                out.push('…');
                break;
            }
            length += 1;
            let letter = if letter.is_whitespace() { ' ' } else { letter };
            if is_shown(letter) {
                close(&mut out, &mut in_code);
                run = if letter == ' ' || letter == '-' { 0 } else { run + 1 };
                if run > LONGEST_WORD {
                    out.push(BREAK);
                    run = 1;
                }
                out.push(letter);
            } else {
                self.coded = true;
                out.push_str(if in_code { " U+" } else { "[U+" });
                out.push_str(&format!("{:04X}", u32::from(letter)));
                in_code = true;
                run = 0;
                // A code is as wide as several letters.
                length += 5;
            }
        }
        close(&mut out, &mut in_code);
        self.left = self.left.saturating_sub(length.max(LEAST));
        out
    }

    /// The same of what is not set as it stands, such as markup: without places to break.
    pub(crate) fn raw(&mut self, text: &str) -> String {
        text.chars()
            .filter(|letter| !is_left_out(*letter))
            .map(|letter| match letter {
                letter if letter.is_whitespace() => " ".to_owned(),
                letter if is_shown(letter) => letter.to_string(),
                letter => {
                    self.coded = true;
                    format!("[U+{:04X}]", u32::from(letter))
                }
            })
            .collect()
    }
}

/// Markup of a picture, with one letter in the place of each that no font has: what stands there keeps about its breadth, which codes
/// would outgrow.
pub(crate) fn drawn(text: &str) -> String {
    let other = if is_shown(REPLACED) { REPLACED } else { '?' };
    let kept = text.chars().filter(|letter| !is_left_out(*letter));
    kept.map(|letter| match letter {
        letter if letter.is_whitespace() => ' ',
        letter if is_shown(letter) => letter,
        _ => other,
    })
    .collect()
}

fn close(out: &mut String, in_code: &mut bool) {
    if std::mem::take(in_code) {
        out.push(']');
    }
}

/// Joiners, selectors and soft hyphens: they show nothing by themselves.
const fn is_left_out(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_shown(letter: char) -> bool {
    letter == ' ' || (!letter.is_control() && !is_unfit(letter) && fonts().cover(letter))
}

/// What turns the direction of text, what has a meaning by agreement only, and what is no character.
const fn is_unfit(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}'
        | '\u{202a}'..='\u{202e}' | '\u{2061}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        Cleaner::new(1_000).line(text, 100)
    }

    #[test]
    fn what_fonts_have_is_kept_and_the_rest_has_its_code() {
        for kept in ["#let x = $y$ *_`@<a>\\", "Ünïcödé ≥ ± – … · → Привет Ελλάδα", "a/b"]
        {
            assert_eq!(line(kept), kept);
        }
        assert_eq!(line("性别"), "[U+6027 U+522B]");
        assert_eq!(line("a\u{7}b"), "a[U+0007]b");
        assert_eq!(line("x\u{202e}y"), "x[U+202E]y");
        assert_eq!(line("\u{feff}a\tb\r\nc"), "a b  c");
        assert_eq!(line("\u{e000}"), "[U+E000]");
    }

    #[test]
    fn what_is_drawn_keeps_its_length() {
        assert_eq!(drawn("a \u{6027}\u{522b}\u{7}\n"), "a \u{fffd}\u{fffd}\u{fffd} ");
        assert_eq!(drawn("<text>\u{feff}≥ Привет</text>"), "<text>≥ Привет</text>");
    }

    #[test]
    fn long_words_may_break_and_long_texts_are_cut() {
        let mut cleaner = Cleaner::new(1_000);
        let word = cleaner.line(&"x".repeat(40), 100);
        assert_eq!(word.matches(BREAK).count(), 2);
        assert!(!cleaner.cut);
        let cut = cleaner.line(&"y ".repeat(400), 20);
        assert!(cut.ends_with('…') && cut.chars().count() == 21 && cleaner.cut);
        assert!(!cleaner.coded);
    }

    #[test]
    fn all_lines_share_what_is_left() {
        let mut cleaner = Cleaner::new(20);
        assert_eq!(cleaner.line("a", 100), "a");
        assert_eq!(cleaner.left, 20 - LEAST);
        assert_eq!(cleaner.line("letters of more", 100), "letters of m…");
        assert!(cleaner.cut && cleaner.left == 0);
        assert_eq!(cleaner.line("b", 100), "…");
        assert_eq!(cleaner.line("", 100), "");
    }
}
