// Driver of the official JavaScript client of A2A 0.3. `client.mjs BASE_URL TOKEN`.
// Parameters and answers are 0.3's JSON.

import { ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory, RestTransportFactory } from "@a2a-js/sdk/client";
import { GrpcTransportFactory } from "@a2a-js/sdk/client/grpc";
import * as grpc from "@grpc/grpc-js";

import { serve } from "../serving.mjs";

const [baseUrl, token] = process.argv.slice(2);
const authority = { authorization: `Bearer ${token}` };
const TRANSPORTS = {
  JSONRPC: () => new JsonRpcTransportFactory(),
  "HTTP+JSON": () => new RestTransportFactory(),
  GRPC: () => new GrpcTransportFactory({ grpcChannelCredentials: grpc.credentials.createInsecure() }),
};
const CALLS = {
  get: "getTask",
  cancel: "cancelTask",
  push_set: "setTaskPushNotificationConfig",
  push_get: "getTaskPushNotificationConfig",
  push_list: "listTaskPushNotificationConfig",
  push_delete: "deleteTaskPushNotificationConfig",
};
const clients = new Map();

async function clientOf(binding) {
  if (!clients.has(binding)) {
    const card = await new DefaultAgentCardResolver().resolve(baseUrl);
    const factory = new ClientFactory({ transports: [TRANSPORTS[binding]()], preferredTransports: [binding] });
    clients.set(binding, await factory.createFromAgentCard(card));
  }
  return clients.get(binding);
}

async function* answer({ op, binding, params }, signal) {
  if (op === "card") {
    yield await new DefaultAgentCardResolver().resolve(baseUrl);
    return;
  }
  const client = await clientOf(binding);
  const options = { serviceParameters: authority, signal };
  if (op === "send") yield await client.sendMessage(params, options);
  else if (op === "stream") yield* client.sendMessageStream(params, options);
  else if (op === "subscribe") yield* client.resubscribeTask(params, options);
  else if (op === "extended_card") yield await client.getAgentCard(options);
  else yield await client[CALLS[op]](params, options);
}

serve(answer);
