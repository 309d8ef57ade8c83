// Which ciphers are quick on this processor.
//
// Threads: any.
#pragma once

namespace restree {

// Whether it has instructions for AES. Without them ChaCha20 is the quicker cipher.
bool has_fast_aes();

}  // namespace restree
