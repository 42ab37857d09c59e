// A module loader for Node 20, which strips no types by itself: `./x.js` beside an `x.ts` means that source, compiled
// by the same swc settings as the build. What was compiled is kept beside the packages: a test that starts `homing` twenty
// times compiles its sources once. It is known by all that it was made of, so that nothing outdated is ever run.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const kept = fileURLToPath(new URL('../node_modules/.cache/homing-sources/', import.meta.url));
const madeBy = [
  new URL(import.meta.url),
  new URL('../.swcrc', import.meta.url),
  createRequire(import.meta.url).resolve('@swc/core/package.json'),
].map((file) => readFileSync(file));

const digestOf = (...parts) =>
  parts.reduce((hash, part) => hash.update(part).update('\0'), createHash('sha256')).digest('hex');

export async function resolve(specifier, context, nextResolve) {
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL) {
    const source = new URL(`${specifier.slice(0, -3)}.ts`, context.parentURL);
    if (existsSync(fileURLToPath(source))) return { url: source.href, format: 'module', shortCircuit: true };
  }
  return nextResolve(specifier, context);
}

export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const filename = fileURLToPath(url);
  return { format: 'module', source: await compiled(filename, await readFile(filename)), shortCircuit: true };
}

/** One file for each source; its first line says of what it was made. */
async function compiled(filename, source) {
  const file = `${kept}${digestOf(filename)}.mjs`;
  const madeOf = `// ${digestOf(...madeBy, filename, source)}\n`;
  const found = await readFile(file, 'utf8').catch(() => '');
  if (found.startsWith(madeOf)) return found.slice(madeOf.length);
  const { transform } = await import('@swc/core');
  const { code } = await transform(source.toString('utf8'), { filename, sourceMaps: 'inline' });
  await keep(file, madeOf + code).catch(() => undefined);
  return code;
}

/** Whole or not at all, however many do it at a time. Where it cannot be kept it is compiled again. */
async function keep(file, text) {
  mkdirSync(kept, { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text);
  await rename(draft, file);
}
