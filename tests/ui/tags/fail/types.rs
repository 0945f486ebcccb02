use cache_runtime::cacheable;

mod shop {
    #[derive(Clone, Copy, serde::Serialize)]
    pub struct Id(pub core::primitive::u64);

    impl std::ops::Rem<i32> for Id {
        type Output = core::primitive::u64;

        fn rem(self, by: i32) -> core::primitive::u64 {
            self.0 % u64::try_from(by).unwrap_or(1)
        }
    }
}

#[allow(non_camel_case_types)]
type u64 = shop::Id;

#[cacheable(key = "product:{id}", tags = "shelf:{id % 100}")]
async fn called_as_a_number_is(id: u64) -> bool {
    id.0 > 0
}

fn main() {}
