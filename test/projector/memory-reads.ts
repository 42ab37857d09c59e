// What a DocumentReader asks of Redis, answered from the shelves of the memory: the commands of one transaction one after the
// other, with nothing in between, as a server takes them.
import { activeKey, buildPrefix } from '../../src/kernel/document-keys.js';
import type { RedisClient } from '../../src/stores/redis/redis-endpoint.js';
import type { Around, Shelves } from './memory-documents.js';

export function memoryReads(shelves: Shelves, around: Around): RedisClient {
  const multi = () => {
    const keys: string[] = [];
    const asked = {
      get: (key: string) => {
        keys.push(key);
        return asked;
      },
      exec: () => around(() => keys.map((key) => [null, textAt(shelves, key)]), 'read'),
    };
    return asked;
  };
  return { multi } as unknown as RedisClient;
}

function textAt(shelves: Shelves, key: string): string | null {
  for (const { name, active, sinks } of shelves.shelves.values()) {
    if (key === activeKey(name)) return active === undefined ? null : String(active);
    for (const [build, sink] of sinks) {
      const prefix = buildPrefix(name, build);
      if (!key.startsWith(prefix)) continue;
      const stored = sink.keys.get(key.slice(prefix.length));
      return typeof stored === 'string' ? stored : null;
    }
  }
  return null;
}
