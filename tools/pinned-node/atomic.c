/*
 * The one function that the pinned Node takes from libatomic.so.1, for machines that do not have that library: official
 * builds for Linux ask for it since Node 25, and a bare Debian is without it. What it does is set down in
 * https://gcc.gnu.org/wiki/Atomic/GCCMM/LIbrary and in the C standard, 7.17.7.4 (atomic_compare_exchange_strong).
 *
 * build.sh makes the libraries beside this file of it.
 */
#include <stddef.h>
#include <stdint.h>

typedef unsigned char byte;

_Bool compare_exchange(size_t size, void *object, void *expected, void *desired, int success, int failure)
    __asm__("__atomic_compare_exchange");

/* Others read objects of these sizes without asking here: only the processor itself can keep them whole. */
#define OF_SIZE(type)                                                                                        \
  return __atomic_compare_exchange_n((type *)object, (type *)expected, *(const type *)desired, 0,            \
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

static _Bool is_aligned(const void *object, size_t size) { return ((uintptr_t)object & (size - 1)) == 0; }

static _Bool of_16_bytes(uint64_t *object, uint64_t *expected, const uint64_t *desired) {
#if defined(__x86_64__)
  _Bool done;
  __asm__ __volatile__("lock cmpxchg16b %1"
                       : "=@ccz"(done), "+m"(*(unsigned __int128 *)object), "+a"(expected[0]), "+d"(expected[1])
                       : "b"(desired[0]), "c"(desired[1])
                       : "memory");
  return done;
#elif defined(__aarch64__)
  for (;;) {
    uint64_t low, high;
    uint32_t lost;
    __asm__ __volatile__("ldaxp %0, %1, [%2]" : "=&r"(low), "=&r"(high) : "r"(object) : "memory");
    _Bool equal = low == expected[0] && high == expected[1];
    /* A pair was read whole only if it can be written back. */
    uint64_t new_low = equal ? desired[0] : low, new_high = equal ? desired[1] : high;
    __asm__ __volatile__("stlxp %w0, %1, %2, [%3]" : "=&r"(lost) : "r"(new_low), "r"(new_high), "r"(object) : "memory");
    if (lost) continue;
    if (!equal) expected[0] = low, expected[1] = high;
    return equal;
  }
#else
#error "Node has no official build for this processor"
#endif
}

static byte taken;

/* What the processor cannot exchange at once is reached through here alone. */
static _Bool under_a_lock(size_t size, byte *object, byte *expected, const byte *desired) {
  while (__atomic_test_and_set(&taken, __ATOMIC_ACQUIRE)) {
  }
  _Bool equal = 1;
  for (size_t at = 0; at < size; at++) equal &= object[at] == expected[at];
  byte *to = equal ? object : expected;
  const byte *from = equal ? desired : object;
  for (size_t at = 0; at < size; at++) to[at] = from[at];
  __atomic_clear(&taken, __ATOMIC_RELEASE);
  return equal;
}

/* The strictest order serves for every order that is asked for. */
_Bool compare_exchange(size_t size, void *object, void *expected, void *desired, int success, int failure) {
  (void)success;
  (void)failure;
  if (size == 1) OF_SIZE(uint8_t);
  if (size == 2 && is_aligned(object, 2)) OF_SIZE(uint16_t);
  if (size == 4 && is_aligned(object, 4)) OF_SIZE(uint32_t);
  if (size == 8 && is_aligned(object, 8)) OF_SIZE(uint64_t);
  if (size == 16 && is_aligned(object, 16)) return of_16_bytes(object, expected, desired);
  return under_a_lock(size, object, expected, desired);
}
