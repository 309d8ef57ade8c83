// A stream of bytes to and from an SFTP server, whatever carries it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

// No call waits: the caller polls `wait_for()` when neither direction moves.
//
// Threads:   one at a time; it may be handed from thread to thread.
// Errors:    kUnavailable: the stream has ended or failed and is of no more use. Before the first
//            byte was read also kDenied: what carries the stream was refused.
class ByteChannel {
 public:
  struct Wait {
    int fd;
    short events;  // for poll(2)
  };

  virtual ~ByteChannel() = default;

  // Takes up to `into.size()` (not 0) bytes that have come in; 0: nothing has yet.
  virtual Result<std::size_t> read_some(MutableByteView into) = 0;

  // Hands over bytes to be sent; returns how many were taken. 0: no room now. After 0 the next call
  // must offer bytes that begin with the same ones. An empty `bytes` only sends on what was taken.
  virtual Result<std::size_t> write_some(ByteView bytes) = 0;

  // What to wait for before it is worth calling again.
  virtual Wait wait_for() const = 0;

  // Bytes sent and received so far: as long as the number grows, the other side is alive.
  virtual std::uint64_t bytes_moved() const = 0;

  // True if the last call moved nothing because a limit of our own forbade it: then the other side
  // is not the one that is silent.
  virtual bool is_held() const { return false; }
};

}  // namespace restree
