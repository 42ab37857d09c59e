// Who may call a route stands at the route. A route that says nothing is refused when the service starts.
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import type { Scope } from './api-key.js';

/** `brand`: the key of the brand that the path names as `:brandId`; `any-brand`: the handler looks which. */
export type RouteScope = 'app' | 'analyst' | 'import' | 'admin' | 'brand' | 'any-brand';
export interface RouteAccess {
  /** 'open': anybody, without a key. */
  readonly scopes: 'open' | readonly RouteScope[];
  /** The request must name the member who acts. */
  readonly member: boolean;
}
export const ROUTE_ACCESS = 'homing:route-access';

/** A key with any of these scopes may call. */
export function Scopes(...scopes: [RouteScope, ...RouteScope[]]): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(ROUTE_ACCESS, { scopes, member: false } satisfies RouteAccess), ApiBearerAuth());
}

/** The app, for the member named in `Homing-Member`. */
export function ByMember(): MethodDecorator & ClassDecorator {
  const access: RouteAccess = { scopes: ['app'], member: true };
  return applyDecorators(SetMetadata(ROUTE_ACCESS, access), ApiBearerAuth());
}

/** Anybody, without a key. Said out loud, so that it is never by oversight. */
export function Open(): MethodDecorator & ClassDecorator {
  return SetMetadata(ROUTE_ACCESS, { scopes: 'open', member: false } satisfies RouteAccess);
}

/** `import` may do what the app and brands may; nothing else contains anything else. */
export function allows(held: readonly Scope[], wanted: readonly RouteScope[], brandId: string | undefined): boolean {
  return wanted.some((scope) => {
    if (scope === 'brand') {
      return held.includes('import') || (brandId !== undefined && held.includes(`brand:${brandId}`));
    }
    if (scope === 'any-brand') return held.some((one) => one === 'import' || one.startsWith('brand:'));
    return held.includes(scope) || (scope === 'app' && held.includes('import'));
  });
}
