// Holds every request to what its route declares, and every route to declaring something.
import { type CanActivate, type ExecutionContext, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../problem/problem.js';
import { identityOf } from './identity.js';
import { allows, ROUTE_ACCESS, type RouteAccess } from './scopes.js';

const memberIdPattern = /^[A-Za-z0-9][A-Za-z0-9.~-]{0,63}$/;
/** Nest's own mark on a handler; its constant is not part of the public API. */
const routePath = 'path';

@Injectable()
export class AccessGuard implements CanActivate, OnApplicationBootstrap {
  constructor(
    private readonly reflector: Reflector,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** @throws Error that names every route without a declared scope: the service does not start. */
  onApplicationBootstrap(): void {
    const bare = this.discovery.getControllers().flatMap(({ instance, metatype }) => {
      const prototype = Object.getPrototypeOf(instance) as Record<string, object>;
      return this.scanner
        .getAllMethodNames(prototype)
        .map((name) => ({ name, handler: prototype[name] as () => unknown }))
        .filter(({ handler }) => Reflect.hasMetadata(routePath, handler))
        .filter(({ handler }) => !this.accessOf(handler, metatype as () => unknown))
        .map(({ name }) => `${metatype?.name ?? '?'}.${name}`);
    });
    if (bare.length > 0) throw new Error(`routes without @Scopes, @ByMember or @Open: ${bare.join(', ')}`);
  }

  canActivate(context: ExecutionContext): boolean {
    const access = this.accessOf(context.getHandler() as () => unknown, context.getClass() as unknown as () => unknown);
    if (!access) throw new Problem('missing-scope', 'this route has no scope');
    if (access.scopes === 'open') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest<{ Params: Record<string, string> }>>();
    if (request.identity instanceof Problem) throw request.identity;
    const identity = identityOf(request);
    if (!identity) throw new Problem('missing-key', 'send an API key as "Authorization: Bearer <key>"');
    if (!allows(identity.key.scopes, access.scopes, request.params?.['brandId'])) {
      throw new Problem('missing-scope', `this needs a key with scope ${access.scopes.join(' or ')}`);
    }
    // A member's own token opens what that member does, and nothing that the app does for everybody.
    if (identity.memberId !== undefined && !access.member) {
      throw new Problem('missing-scope', "a member's token does not open this route");
    }
    if (access.member) requireMember(request, identity.memberId);
    return true;
  }

  private accessOf(handler: () => unknown, controller: () => unknown): RouteAccess | undefined {
    return this.reflector.getAllAndOverride<RouteAccess | undefined>(ROUTE_ACCESS, [handler, controller]);
  }
}

function requireMember(request: FastifyRequest, tokenMemberId: string | undefined): void {
  const named = request.headers['homing-member'];
  if (named !== undefined && (typeof named !== 'string' || !memberIdPattern.test(named))) {
    throw new Problem('invalid-header', 'Homing-Member is not an id');
  }
  if (tokenMemberId !== undefined) {
    if (named !== undefined && named !== tokenMemberId) {
      throw new Problem('missing-scope', "a member's token speaks for that member alone");
    }
    return;
  }
  if (named === undefined) throw new Problem('member-required', 'name who acts in the header Homing-Member');
}
