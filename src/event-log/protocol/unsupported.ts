// What this server does not have, each answered with UNIMPLEMENTED and a sentence instead of the library's bare
// "does not implement the method". docs/event-log-protocol.md lists the same.
import monitoring from '@eventstore/db-client/generated/monitoring_grpc_pb.js';
import operations from '@eventstore/db-client/generated/operations_grpc_pb.js';
import persistent from '@eventstore/db-client/generated/persistent_grpc_pb.js';
import projections from '@eventstore/db-client/generated/projections_grpc_pb.js';
import users from '@eventstore/db-client/generated/users_grpc_pb.js';
import {
  type Server,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { serviceError } from './exceptions.js';

/** A service of the real server and why a caller finds nothing here. */
export const unsupportedServices: readonly { readonly service: ServiceDefinition; readonly reason: string }[] = [
  {
    service: persistent.PersistentSubscriptionsService,
    reason:
      'Persistent subscriptions are not supported by the Homing event log: use a catch-up subscription and keep its position.',
  },
  {
    service: projections.ProjectionsService,
    reason: 'Projections are not supported by the Homing event log: fold the events in the client.',
  },
  {
    service: users.UsersService,
    reason: 'Users are not supported by the Homing event log: it knows one at most, given when it is started.',
  },
  {
    service: operations.OperationsService,
    reason: 'Operations are not supported by the Homing event log: nothing is scavenged and there is no other node.',
  },
  {
    service: monitoring.MonitoringService,
    reason: 'Monitoring is not supported by the Homing event log: it keeps no statistics of its own.',
  },
];

export function addUnsupportedServices(server: Server): void {
  for (const { service, reason } of unsupportedServices) {
    const handlers: UntypedServiceImplementation = {};
    for (const [name, method] of Object.entries(service)) {
      handlers[name] = method.responseStream ? refuseStream(reason) : refuseCall(reason);
    }
    server.addService(service, handlers);
  }
}

function refuseCall(reason: string): UntypedHandleCall {
  return (
    _call: ServerUnaryCall<unknown, unknown> | ServerReadableStream<unknown, unknown>,
    answer: sendUnaryData<unknown>,
  ) => answer(serviceError(status.UNIMPLEMENTED, reason));
}

function refuseStream(reason: string): UntypedHandleCall {
  return (call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>) => {
    call.emit('error', serviceError(status.UNIMPLEMENTED, reason));
  };
}
