// Why a call ended without a whole answer: curl's code and what the transfer saw, as one TransportError and one
// sentence for a person. Names host and port; never the path, a header or a body.
// Tested in test/unit/transport_test.cpp.
#pragma once

#include "net/transfer.hpp"
#include "ports/transport.hpp"

namespace agent_queue {

// A call that curl ended. error is none where it succeeded; the response is moved out.
CallEnd end_of_call(Transfer &transfer, CURLcode code, SteadyTime now);

// A call whose deadline has come.
CallEnd end_by_timeout(const Transfer &transfer, SteadyTime now);

// A call that nobody wants any more.
CallEnd end_by_cancel(const Transfer &transfer, SteadyTime now);

// A call that could not be started.
CallEnd end_unsent(CallId id, TransportError error, std::string message);

}  // namespace agent_queue
