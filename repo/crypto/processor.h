// Which ciphers and hashes are quick on this processor.
//
// Threads: any.
#pragma once

namespace restree {

// Whether it has instructions for AES. Without them ChaCha20 is the quicker cipher.
bool has_fast_aes();
// Whether it has x86's instructions for SHA-256, which Sha256Pair uses.
bool has_sha_instructions();

}  // namespace restree
