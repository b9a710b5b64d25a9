// AesSealer: mcp::Sealer by AES-256-GCM.
#pragma once

#include <array>

#include "mcp/server.h"

namespace mxcp::net {

class AesSealer final : public mcp::Sealer {
 public:
  // With the key made of a secret, which several processes may share; without one the key is random
  // and tokens end with the process.
  explicit AesSealer(std::string_view secret);

  std::string seal(std::string_view text, std::string_view bound) const override;
  std::optional<std::string> open(std::string_view token, std::string_view bound) const override;

 private:
  std::array<unsigned char, 32> key_{};
};

}  // namespace mxcp::net
