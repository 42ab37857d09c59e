// What the server says about itself: its version, the methods that it answers (announcing one is what makes clients call
// it) and a cluster of one node that is its own leader.
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import serverFeatures from '@eventstore/db-client/generated/serverfeatures_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';

/** The release of EventStoreDB whose behaviour is kept. */
export const announcedVersion = '24.4.0';

const streamsService = 'event_store.client.streams.streams';
const persistentService = 'event_store.client.persistent_subscriptions.persistentsubscriptions';

/** Service, method and features; clients compare the names in lower case. */
const methods: readonly (readonly [service: string, method: string, ...features: string[]])[] = [
  [streamsService, 'read', 'position', 'events'],
  [streamsService, 'append'],
  [streamsService, 'batchappend', 'deadline_duration'],
  [streamsService, 'delete'],
  [streamsService, 'tombstone'],
  ['event_store.client.gossip.gossip', 'read'],
  ['event_store.client.server_features.serverfeatures', 'getsupportedmethods'],
  // These answer that they are not supported, and why. A client that does not find them here would turn to the HTTP
  // interface of old servers on this port and fail without a reason.
  ...['create', 'update', 'delete', 'read', 'getinfo', 'replayparked', 'list'].map(
    (method) => [persistentService, method, 'stream', 'all'] as const,
  ),
  [persistentService, 'restartsubsystem'],
  ['event_store.client.projections.projections', 'create', 'track_emitted_streams'],
];

export function supportedMethods(): serverFeatures.SupportedMethods {
  const answer = new serverFeatures.SupportedMethods();
  answer.setEventStoreServerVersion(announcedVersion);
  for (const [service, method, ...features] of methods) {
    const entry = new serverFeatures.SupportedMethod();
    entry.setServiceName(service);
    entry.setMethodName(method);
    entry.setFeaturesList(features);
    answer.addMethods(entry);
  }
  return answer;
}

export interface Node {
  /** UUID of this run of the server. */
  readonly instanceId: string;
  /** Where clients reach it. */
  readonly address: string;
  readonly port: number;
}

export function clusterOfOne(node: Node, nowMs: number): gossip.ClusterInfo {
  const id = new shared.UUID();
  id.setString(node.instanceId);
  const endPoint = new gossip.EndPoint();
  endPoint.setAddress(node.address);
  endPoint.setPort(node.port);
  const member = new gossip.MemberInfo();
  member.setInstanceId(id);
  member.setTimeStamp((BigInt(nowMs) * 10_000n).toString());
  member.setState(gossip.MemberInfo.VNodeState.LEADER);
  member.setIsAlive(true);
  member.setHttpEndPoint(endPoint);
  const cluster = new gossip.ClusterInfo();
  cluster.addMembers(member);
  return cluster;
}
