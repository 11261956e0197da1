module vitrina-client-test

go 1.19
