// The two elementary functions the SUV calculation needs from the C library.

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

func exponential2(_ x: Double) -> Double { exp2(x) }
func logarithm(_ x: Double) -> Double { log(x) }
