//! `CACHE_MACROS_DEBUG=1` prints every expansion to standard error.
//!
//! Whoever wants to know what an attribute did should not need another tool. A real formatter would be a dependency of
//! every user's build, so the text is laid out by the three rules that make generated code readable: a line per
//! statement, a line per brace, an indentation per depth. The compiler does not watch the variable: touch the file.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Passes the expansion on, printing it if the environment asks for it.
pub(crate) fn shown(name: &str, expansion: TokenStream) -> TokenStream {
    if std::env::var_os("CACHE_MACROS_DEBUG").is_some_and(|value| value != "0" && !value.is_empty())
    {
        eprintln!("// expansion of {name}\n{}", laid_out(&expansion));
    }
    expansion
}

fn laid_out(tokens: &TokenStream) -> String {
    let mut page = Page::default();
    page.tokens(tokens.clone());
    page.text.trim_end().to_owned()
}

#[derive(Default)]
struct Page {
    text: String,
    depth: usize,
    joint: bool,
}

impl Page {
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Punct(punct) => {
                    self.word(&punct.to_string());
                    self.joint = punct.spacing() == Spacing::Joint;
                    if punct.as_char() == ';' {
                        self.line();
                    }
                }
                other => self.word(&other.to_string()),
            }
        }
    }

    fn group(&mut self, delimiter: Delimiter, inside: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
            Delimiter::Brace => return self.block(inside),
        };
        self.word(open);
        self.joint = true;
        self.tokens(inside);
        self.joint = true;
        self.word(close);
    }

    fn block(&mut self, inside: TokenStream) {
        self.word("{");
        self.depth += 1;
        self.line();
        self.tokens(inside);
        self.depth -= 1;
        self.line();
        self.word("}");
        self.line();
    }

    /// Appends a word, with a space before it where the language could need one.
    fn word(&mut self, word: &str) {
        let glued = self.joint
            || self.text.ends_with(' ')
            || self.text.is_empty()
            || self.text.ends_with('\n');
        if !glued && !matches!(word, ";" | "," | "(" | ".") {
            self.text.push(' ');
        }
        self.joint = false;
        self.text.push_str(word);
    }

    fn line(&mut self) {
        while self.text.ends_with([' ', '\n']) {
            self.text.pop();
        }
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("    ", self.depth));
    }
}

#[cfg(test)]
mod tests {
    use super::laid_out;

    #[test]
    fn statements_and_blocks_have_lines_of_their_own() {
        let text = laid_out(&quote::quote! { fn f(a: u8) -> u8 { let b = a.x; g(b) } });
        assert_eq!(text, "fn f(a : u8) -> u8 {\n    let b = a. x;\n    g(b)\n}");
    }

    #[test]
    fn what_is_printed_parses_again() {
        let source = quote::quote! { fn f<'a>(a: &'a [u8]) { match a { [b, ..] if *b >= 1 => { a::<u8>(); } _ => () } } };
        let again: proc_macro2::TokenStream =
            laid_out(&source).parse().expect("printed tokens parse");
        let words = |tokens: &proc_macro2::TokenStream| tokens.to_string().replace(' ', "");
        assert_eq!(words(&again), words(&source));
    }
}
