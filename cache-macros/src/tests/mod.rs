//! Expansions as text: the source and, below it, what it becomes.
//!
//! A snapshot is reviewed like code. `INSTA_UPDATE=always cargo test -p cache-macros` writes them anew.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{cacheable, evict, put};

/// The source above its expansion, both formatted.
fn side_by_side(
    name: &str,
    options: &TokenStream,
    item: &TokenStream,
    expansion: &TokenStream,
) -> String {
    let attribute = quote::format_ident!("{name}");
    let source = pretty(&quote! { #[#attribute(#options)] #item });
    let expanded = pretty(expansion);
    let lines = expanded.lines().count();
    // A load that may outlive its call names each argument three times.
    let limit = if expanded.contains("fill_owned") {
        90
    } else {
        60
    };
    assert!(
        lines < limit,
        "an expansion of {lines} lines is more than a reader wants to see"
    );
    format!("{source}\n// becomes\n\n{expanded}")
}

fn pretty(tokens: &TokenStream) -> String {
    let file = syn::parse2(tokens.clone()).unwrap_or_else(|error| panic!("{error}: {tokens}"));
    prettyplease::unparse(&file)
}

macro_rules! snapshot {
    ($test:ident, $expand:path, $name:literal, ($($options:tt)*), $($item:tt)*) => {
        #[test]
        fn $test() {
            let (options, item) = (quote! { $($options)* }, quote! { $($item)* });
            let expansion = $expand(options.clone(), &item);
            insta::assert_snapshot!(side_by_side($name, &options, &item, &expansion));
        }
    };
}

snapshot! {
    cacheable_with_default_key, cacheable::attribute, "cacheable", (60, secret(token), skip(pool)),
    pub async fn product(pool: &Pool, id: u64, token: &str) -> Option<Product> {
        pool.find(id).await
    }
}

snapshot! {
    cacheable_with_unused_argument, cacheable::attribute, "cacheable", (),
    async fn answer(_unused: u64) -> u64 {
        42
    }
}

snapshot! {
    cacheable_with_literals, cacheable::attribute, "cacheable",
    (
        key = "product:{id}", ttl = "30m", jitter = 0.2, negative_ttl = "1m", stampede_protection, wait_timeout = 2,
        version = 3, l1 = "10s", l2 = false
    ),
    async fn product(id: u64) -> Result<Option<Product>, Error> {
        let row = query(id).await?;
        Ok(row.map(Into::into))
    }
}

snapshot! {
    cacheable_with_expressions, cacheable::attribute, "cacheable",
    (
        key = "{self.tenant}:{id}", ttl = self.ttl, ttl_from = |value| value.life, unless = Vec::is_empty,
        condition = id > 0, share_errors = |error| error.again(), cache = self.cache, crate = ::shop::cache
    ),
    async fn products(self: Arc<Self>, id: u64) -> Result<Vec<Product>, Error> {
        self.load(id).await
    }
}

snapshot! {
    cacheable_boxed, cacheable::attribute, "cacheable", (key = "product:{id}", share_errors = false),
    fn product<'a>(&'a self, id: u64) -> Pin<Box<dyn Future<Output = Result<u64, Error>> + Send + 'a>> {
        Box::pin(async move { self.load(id).await })
    }
}

snapshot! {
    cacheable_with_borrowed_error, cacheable::attribute, "cacheable", (key = "product:{id}"),
    async fn product<'a>(id: &'a str) -> Result<u64, ParseError<'a>> {
        parse(id)
    }
}

snapshot! {
    cacheable_with_tags, cacheable::attribute, "cacheable",
    (key = "product", tags = "team:{team}:{result.owner}", secret(team), share_errors = false),
    async fn product(team: &str) -> Product {
        find(team).await
    }
}

snapshot! {
    cacheable_with_tags_of_arguments, cacheable::attribute, "cacheable",
    (key = "order:{order.id}", tags = ["orders", "customer:{order.customer}"], share_errors = false),
    async fn total(order: &Order) -> u64 {
        sum(order)
    }
}

snapshot! {
    cacheable_with_tags_computed_of_its_key, cacheable::attribute, "cacheable",
    (key = "product:{id}", tags = "shelf:{id % 100}", share_errors = false),
    async fn product(id: u64) -> u64 {
        id
    }
}

snapshot! {
    cacheable_with_tags_of_its_key, cacheable::attribute, "cacheable", (skip(user), scope = "{user}", tags = "{id}:{user}", share_errors = false),
    async fn product(id: u64, user: u64) -> u64 {
        id + user
    }
}

snapshot! {
    cacheable_with_tags_of_the_value, cacheable::attribute, "cacheable", (skip(user), scope = "{user}", tags_from = Product::tags),
    async fn product(id: u64, user: u64) -> Result<Product, Error> {
        find(id, user).await
    }
}

snapshot! {
    cacheable_in_background, cacheable::attribute, "cacheable",
    (key = "product:{id}", ttl = "1m", background_refresh, stale_if_error = "1h", on_miss = metrics::miss),
    async fn product(id: u64, mut name: String, note: Option<&str>, (a, mut b): (u8, u8), _: &Pool) -> Result<Option<Product>, Error> {
        name.push('!');
        find(id, &name, note, a, b).await
    }
}

snapshot! {
    cacheable_in_background_with_receiver, cacheable::attribute, "cacheable",
    (key = "{self.tenant}:{name}", soft_timeout = self.patience, hard_timeout = "2s", on_timeout = Error::Slow),
    async fn product<'a>(&'a self, name: &'a str) -> Result<u64, Error> {
        let name: &'a str = name;
        fn inner(&self) {}
        println!("{}", self.tenant);
        self.find(name).await
    }
}

snapshot! {
    cacheable_in_background_boxed, cacheable::attribute, "cacheable", (key = "product:{id}", hard_timeout = 2, early_refresh = 1.5),
    fn product<'life0, 'async_trait>(
        &'life0 self, id: u64
    ) -> Pin<Box<dyn Future<Output = Result<u64, Error>> + Send + 'async_trait>> where 'life0: 'async_trait, Self: 'async_trait {
        Box::pin(async move { let __self = self; __self.load(id).await })
    }
}

snapshot! {
    cacheable_in_background_generic, cacheable::attribute, "cacheable", (consistency_check = 0.01, share_errors = false),
    async fn product<T: Table, const N: usize>(table: &T, of: &impl Source) -> T::Row
    where
        T::Row: Row,
    {
        table.row(N, of).await
    }
}

snapshot! {
    evict_every_way, evict::attribute, "cache_evict",
    (key = "product:{id}", keys = ["stock {id}", "name:{result.name}"], before, always, hold = "2s", condition = id > 0),
    async fn rename(id: u64, name: String) -> Result<Product, Error> {
        update(id, name).await
    }
}

snapshot! {
    evict_by_label, evict::attribute, "cache_evict",
    (region = "products:list", tags = ["seller{{x", "owner:{result.owner}"], scope = "user:{result.id}", expire),
    async fn rename(id: u64) -> Product {
        update(id).await
    }
}

snapshot! {
    evict_in_a_scope, evict::attribute, "cache_evict",
    (scope = "user:{user}", pattern = "products:*", key = "product:{result.id}", hold = "2s", secret(user)),
    async fn rename(user: u64) -> Product {
        update(user).await
    }
}

snapshot! {
    evict_by_pattern, evict::attribute, "cache_evict", ("products:{{x:{id}:*"),
    async fn rename(id: u64) {
        update(id).await;
    }
}

snapshot! {
    evict_behind_an_opaque_type, evict::attribute, "cache_evict", (all),
    async fn everything() -> impl Iterator<Item = u8> {
        std::iter::empty()
    }
}

snapshot! {
    put_by_argument, put::attribute, "cache_put", (key = "product:{id}", ttl = "3s", unless = |value| value.hidden),
    async fn update(id: u64, change: Change) -> Result<Product, Error> {
        change.apply(id).await
    }
}

snapshot! {
    put_by_result, put::attribute, "cache_put", (key = "{tenant}:product:{result.id}"),
    async fn create(tenant: &str) -> Product {
        insert(tenant).await
    }
}

snapshot! {
    put_with_tags, put::attribute, "cache_put",
    (key = "product:{id}", tags = ["shop:{id}", "owner:{result.owner}"], tags_from = |value| value.tags.clone(), scope = "user:{id}"),
    async fn update(id: u64) -> Product {
        change(id).await
    }
}

snapshot! {
    errors_are_accumulated_beside_the_function, cacheable::attribute, "cacheable",
    (expire = 60, ttl = "1x", key = "product:{nobody}"),
    async fn product(id: u64) -> &'static str {
        "untouched"
    }
}
