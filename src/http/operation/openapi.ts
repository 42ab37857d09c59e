// The API describes itself: /openapi.json from the schemas that validate, and a page to read and try it at /docs.
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { statusOf } from '../problem/status-table.js';

const intro = [
  'Every write takes an `Idempotency-Key`: the same request with the same key is carried out once and answered alike.',
  'Every write answers a `position`; a read that takes it (`minPosition` or `Homing-Position`) shows at least that.',
  'A failure is a problem document (RFC 9457) with a stable `code`:',
  ...Object.entries(statusOf).map(([code, status]) => `* \`${code}\` (${status})`),
].join('\n\n');

export function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const header = (name: string, description: string) => ({
    name,
    in: 'header' as const,
    required: false,
    description,
    schema: { type: 'string' as const },
  });
  const document = new DocumentBuilder()
    .setTitle('Homing')
    .setDescription(intro)
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer' })
    .addGlobalParameters(
      header('Homing-Member', 'Who acts (keys with scope app).'),
      header('Idempotency-Key', 'Makes a write safe to repeat; 1 to 128 printable characters.'),
    )
    .build();
  return SwaggerModule.createDocument(app, document);
}

export function serveApiDescription(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => describeApi(app), { jsonDocumentUrl: 'openapi.json' });
}
