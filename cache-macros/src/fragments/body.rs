//! The body, in place.
//!
//! Its statements are spliced, not nested in a block (rustc would call the user's braces unused), behind a return of the declared
//! type that never happens: without it `?`, `return` and `.into()` in an async block have nothing to infer from, and a type
//! error would land on the attribute instead of the user's expression. The return hides in an `if let`, not behind a
//! `loop {}`, because the latter needs an `#[allow]`, which a crate that forbids the lint would refuse.

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::names::generated;
use crate::paths::Door;
use crate::source::function::Function;
use crate::source::returns::Delivery;

/// The body as a future of what the function returns.
pub(crate) fn load(function: &Function) -> TokenStream {
    let statements = statements(function);
    generated! { async move { #statements } }
}

/// The statements of that future.
pub(crate) fn statements(function: &Function) -> TokenStream {
    match &function.returns.delivery {
        Delivery::Async => match function.returns.inferred() {
            Some(output) => pinned(&output, &function.body),
            // A type that is `impl …` cannot be named a second time, so the body is inferred.
            None => function.body.clone(),
        },
        Delivery::Boxed(whole) => {
            let boxed = pinned(whole, &function.body);
            generated! {
                #[allow(clippy::async_yields_async)]
                let __boxed = async move { #boxed }.await;
                __boxed.await
            }
        }
    }
}

/// The function around generated statements, boxed if the original was.
pub(crate) fn around(function: &Function, p: &Door, statements: TokenStream) -> TokenStream {
    let import = p.import();
    function.around(match function.returns.delivery {
        Delivery::Async => generated! { #import #statements },
        Delivery::Boxed(_) => generated! { #import #p::Box::pin(async move { #statements }) },
    })
}

fn pinned(output: &impl ToTokens, body: &TokenStream) -> TokenStream {
    generated! {
        if let ::core::option::Option::Some(__pin) = ::core::option::Option::None::<#output> {
            return __pin;
        }
        #body
    }
}
