use cache_runtime::cacheable;

#[cacheable(zebra = 1)]
async fn stranger() -> u64 {
    1
}

#[cacheable(verison = 1)]
async fn slip() -> u64 {
    1
}

#[cacheable(pattern = "products:*")]
async fn of_another_attribute() -> u64 {
    1
}

fn main() {}
