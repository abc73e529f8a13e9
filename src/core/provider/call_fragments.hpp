// Tool calls out of the fragments of OpenAI's streams. A fragment names its call by `index`; servers that give no
// index, or the same to several calls, are understood by `id`, and by a name that comes again. Pure, in linear time but
// for one sort. Tested in test/unit/openai_stream_test.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/base/name_map.hpp"
#include "core/wire/json_read.hpp"

namespace agent_queue {

class CallFragments {
 public:
  // An element of `delta.tool_calls`; taken apart. What is no object is passed over.
  void add(Json &fragment);

  // The calls as they would have come in one piece, in the order of their indexes, whatever gaps those have; JSON null:
  // there are none.
  Json take();

 private:
  struct Call {
    std::int64_t index;
    Json json;
  };

  Call &call_of(const Json &fragment);
  Call &open_call(const Json &fragment);

  std::vector<Call> calls_;
  std::unordered_map<std::int64_t, std::size_t> place_by_index_;
  NameMap<std::size_t> place_by_id_;  // of calls without an index
};

}  // namespace agent_queue
