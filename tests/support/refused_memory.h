// For a program whose tests ask for more memory than any system has: sanitizers then refuse it, as the
// system would, instead of ending the program. Include it in one file of the program.
#pragma once

extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "allocator_may_return_null=1"; }
