// Basic authentication for a server that asks for it (on a TLS channel; clients send no password on an open one).
// Discovery needs none, as with the real server.
import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';
import { serviceError } from './exceptions.js';

export type PasswordCheck = (user: string, password: string) => boolean;

/** The check of a server with one user. It takes as long for a wrong password as for the right one. */
export function onlyUser(user: string, password: string): PasswordCheck {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const [rightUser, rightPassword] = [digest(user), digest(password)];
  return (givenUser, givenPassword) => {
    const isUser = timingSafeEqual(digest(givenUser), rightUser);
    return timingSafeEqual(digest(givenPassword), rightPassword) && isUser;
  };
}

const openPrefixes = ['/event_store.client.gossip.', '/event_store.client.server_features.'];

/** Refuses with UNAUTHENTICATED for a wrong password and `access-denied` for none, as the real server does. */
export function authentication(check: PasswordCheck): ServerInterceptor {
  return (method, call) => {
    if (openPrefixes.some((prefix) => method.path.startsWith(prefix))) return new ServerInterceptingCall(call);
    const refuse = (code: status, details: string, exception: Record<string, string>) => {
      const error = serviceError(code, details, exception);
      call.sendStatus({ code, details, metadata: error.metadata });
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const credentials = basicCredentials(metadata);
        if (!credentials) refuse(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });
        else if (!check(...credentials)) refuse(status.UNAUTHENTICATED, 'Unauthenticated', {});
        else next(metadata);
      })
      .build();
    const responder = new ResponderBuilder().withStart((next) => next(listener)).build();
    return new ServerInterceptingCall(call, responder);
  };
}

function basicCredentials(metadata: Metadata): readonly [string, string] | undefined {
  const header = String(metadata.get('authorization')[0] ?? '');
  if (!header.startsWith('Basic ')) return undefined;
  const text = Buffer.from(header.slice('Basic '.length), 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : [text.slice(0, colon), text.slice(colon + 1)];
}
