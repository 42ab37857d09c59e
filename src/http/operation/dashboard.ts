// The dashboard page, as the front-end build left it: static files under /dashboard/, and the way there from /.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

export const dashboardPath = '/dashboard/';
/** Built files carry a hash in their name and never change; the page itself is asked for anew. */
const assetSecondsMax = 365 * 24 * 3600;

/** dist/dashboards, seen from the compiled module (dist/src/http/operation) and from the source (src/http/operation) alike. */
function builtPage(): string | undefined {
  const candidates = ['../../../dashboards/', '../../../dist/dashboards/'];
  return candidates
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(`${path}index.html`));
}

/** False when the page has not been built; the service runs without it. */
export async function serveDashboard(fastify: FastifyInstance): Promise<boolean> {
  const root = builtPage();
  if (!root) return false;
  await fastify.register(fastifyStatic, {
    root,
    prefix: dashboardPath,
    decorateReply: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const forever = /[/\\]assets[/\\]/.test(path);
      reply.header('cache-control', forever ? `public, max-age=${assetSecondsMax}, immutable` : 'no-cache');
    },
  });
  fastify.get('/', (_request, reply) => reply.redirect(dashboardPath, 302));
  fastify.get(dashboardPath.slice(0, -1), (_request, reply) => reply.redirect(dashboardPath, 302));
  return true;
}
