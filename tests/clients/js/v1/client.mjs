// Driver of the official JavaScript client of A2A 1.0 (which also speaks 0.3). `client.mjs BASE_URL TOKEN`.
// Parameters and answers are 1.0's ProtoJSON, whichever version goes over the wire.

import * as sdk from "@a2a-js/sdk";
import { ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory, RestTransportFactory } from "@a2a-js/sdk/client";
import { GrpcTransportFactory } from "@a2a-js/sdk/client/grpc";
import * as grpc from "@grpc/grpc-js";

import { serve } from "../serving.mjs";

const [baseUrl, token] = process.argv.slice(2);
const authority = { authorization: `Bearer ${token}` };
const legacyCompat = { enabled: true };
const TRANSPORTS = {
  JSONRPC: () => new JsonRpcTransportFactory({ legacyCompat }),
  "HTTP+JSON": () => new RestTransportFactory({ legacyCompat }),
  GRPC: () => new GrpcTransportFactory({ legacyCompat, grpcChannelCredentials: grpc.credentials.createInsecure() }),
};
const CALLS = {
  get: ["getTask", sdk.GetTaskRequest, sdk.Task],
  list: ["listTasks", sdk.ListTasksRequest, sdk.ListTasksResponse],
  cancel: ["cancelTask", sdk.CancelTaskRequest, sdk.Task],
  push_set: ["createTaskPushNotificationConfig", sdk.TaskPushNotificationConfig, sdk.TaskPushNotificationConfig],
  push_get: ["getTaskPushNotificationConfig", sdk.GetTaskPushNotificationConfigRequest, sdk.TaskPushNotificationConfig],
  push_list: [
    "listTaskPushNotificationConfig",
    sdk.ListTaskPushNotificationConfigsRequest,
    sdk.ListTaskPushNotificationConfigsResponse,
  ],
  push_delete: ["deleteTaskPushNotificationConfig", sdk.DeleteTaskPushNotificationConfigRequest, null],
};
const clients = new Map();

async function clientOf(binding, version) {
  const key = `${binding} ${version}`;
  if (!clients.has(key)) {
    const card = await new DefaultAgentCardResolver({ legacyCompat }).resolve(baseUrl);
    const fits = (one) => one.protocolBinding === binding && one.protocolVersion === version;
    const only = { ...card, supportedInterfaces: card.supportedInterfaces.filter(fits) };
    if (only.supportedInterfaces.length !== 1) throw new Error(`the card has no interface ${key}`);
    const factory = new ClientFactory({ transports: [TRANSPORTS[binding]()] });
    clients.set(key, await factory.createFromAgentCard(only));
  }
  return clients.get(key);
}

// What a send gives is a Task or a Message, told apart by its own fields.
const sent = (result) =>
  "messageId" in result ? { message: sdk.Message.toJSON(result) } : { task: sdk.Task.toJSON(result) };

async function* answer({ op, binding, version, params }, signal) {
  if (op === "card") {
    yield sdk.AgentCard.toJSON(await new DefaultAgentCardResolver({ legacyCompat }).resolve(baseUrl));
    return;
  }
  const client = await clientOf(binding, version);
  const options = { serviceParameters: authority, signal };
  if (op === "send") {
    yield sent(await client.sendMessage(sdk.SendMessageRequest.fromJSON(params), options));
  } else if (op === "stream") {
    const events = client.sendMessageStream(sdk.SendMessageRequest.fromJSON(params), options);
    for await (const event of events) yield sdk.StreamResponse.toJSON(event);
  } else if (op === "subscribe") {
    const events = client.resubscribeTask(sdk.SubscribeToTaskRequest.fromJSON(params), options);
    for await (const event of events) yield sdk.StreamResponse.toJSON(event);
  } else if (op === "extended_card") {
    yield sdk.AgentCard.toJSON(await client.getAgentCard(options));
  } else {
    const [name, request, response] = CALLS[op];
    const result = await client[name](request.fromJSON(params), options);
    yield response ? response.toJSON(result) : null;
  }
}

serve(answer);
