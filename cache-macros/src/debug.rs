//! `CACHE_MACROS_DEBUG=1` prints every expansion to standard error.
//!
//! Whoever wants to know what an attribute did should not need another tool. A real formatter would be a dependency of
//! every user's build, so the text is laid out by the rules that make generated code readable: a line per statement, a
//! block over several lines, an indentation per depth, paths in one piece. The compiler does not watch the variable: touch
//! the file.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Passes the expansion on, printing it if the environment asks for it.
pub(crate) fn shown(name: &str, expansion: TokenStream) -> TokenStream {
    let asked = std::env::var_os("CACHE_MACROS_DEBUG");
    if asked.is_some_and(|value| value != "0" && !value.is_empty()) {
        eprintln!("// expansion of {name}\n{}", laid_out(&expansion));
    }
    expansion
}

fn laid_out(tokens: &TokenStream) -> String {
    let mut page = Page::default();
    page.tokens(tokens.clone());
    page.text.trim_end().to_owned()
}

/// Words before a path that starts with `::`.
const BEFORE_ROOT: [&str; 6] = ["use", "in", "as", "return", "match", "if"];

#[derive(Default)]
struct Page {
    text: String,
    depth: usize,
    /// The next word belongs to the last.
    glued: bool,
    /// A block has just ended, and what may follow it on its line has not been seen.
    after_block: bool,
}

impl Page {
    fn tokens(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Punct(punct) => {
                    let mut operator = punct.to_string();
                    if punct.as_char() == ':' && punct.spacing() == Spacing::Joint {
                        operator.extend(tokens.next().map(|second| second.to_string()));
                    }
                    let joint = punct.spacing() == Spacing::Joint && operator.len() == 1;
                    self.operator(&operator, joint);
                }
                other => self.word(&other.to_string()),
            }
        }
    }

    fn operator(&mut self, operator: &str, joint: bool) {
        let path = operator == "::" && !BEFORE_ROOT.iter().any(|word| self.text.ends_with(word));
        self.glued |= path
            && self
                .text
                .ends_with(|last: char| last.is_alphanumeric() || "_>".contains(last));
        self.word(operator);
        self.glued = joint || matches!(operator, "::" | "." | "&" | "#" | "!");
        if operator == ";" {
            self.line();
        }
    }

    fn group(&mut self, delimiter: Delimiter, inside: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => return self.tokens(inside),
            Delimiter::Brace if inside.is_empty() => return self.word("{}"),
            Delimiter::Brace => return self.block(inside),
        };
        self.word(open);
        self.glued = true;
        self.tokens(inside);
        self.word(close);
    }

    fn block(&mut self, inside: TokenStream) {
        self.word("{");
        self.depth += 1;
        self.line();
        self.tokens(inside);
        self.depth -= 1;
        self.line();
        self.text.push('}');
        self.after_block = true;
    }

    /// Appends a word, with a space before it where the language could need one.
    fn word(&mut self, word: &str) {
        let follows = matches!(word, ";" | "," | "(" | ")" | "]" | "." | "?");
        if std::mem::take(&mut self.after_block) && !follows && word != "else" {
            self.line();
        }
        let apart = !std::mem::take(&mut self.glued) && !self.text.ends_with([' ', '\n']);
        if apart && !follows && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(word);
    }

    fn line(&mut self) {
        self.text.truncate(self.text.trim_end().len());
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("    ", self.depth));
        self.after_block = false;
    }
}

#[cfg(test)]
mod tests {
    use super::laid_out;

    #[test]
    fn statements_and_blocks_have_lines_of_their_own() {
        let text = laid_out(&quote::quote! {
            fn f(a: u8) -> u8 { use ::a::b; let c = { a.x }; g(|| {}, &b::<u8>::NEW) }
        });
        let lines = [
            "fn f(a : u8) -> u8 {",
            "    use ::a::b;",
            "    let c = {",
            "        a.x",
            "    };",
            "    g(|| {}, &b::< u8 >::NEW)",
            "}",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn what_is_printed_parses_again() {
        let source = quote::quote! {
            fn f<'a>(a: &'a [u8]) -> ! { if !b { match a { [b, ..] if *b >= 1 && c => { a::<u8>()?; } _ => () } } else {} }
        };
        let again: proc_macro2::TokenStream =
            laid_out(&source).parse().expect("printed tokens parse");
        let words = |tokens: &proc_macro2::TokenStream| tokens.to_string().replace(' ', "");
        assert_eq!(words(&again), words(&source));
    }
}
