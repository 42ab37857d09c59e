// The data directory of a demo: empty, or holding the same world's demo, finished or not. What was begun there is written
// down first, so that a demo that broke off can go on, and a service it left behind can be ended.
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const Manifest = z.strictObject({
  profile: z.string(),
  seed: z.int(),
  /** Of the generator: another version makes another world of the same seed. */
  worldVersion: z.int(),
  /** The key with which the demo speaks to its service. */
  key: z.string(),
  /** The key that is told to whoever looks at the dashboard: an analyst’s and the brands’. */
  dashboardKey: z.string(),
  /** The service that the demo started last. */
  servicePid: z.int().optional(),
});
export type Manifest = z.infer<typeof Manifest>;
export type Wanted = Pick<Manifest, 'profile' | 'seed' | 'worldVersion'>;

const manifestName = 'demo.json';

/** As API keys are: an id and a secret of 192 bits. */
function newKey(): string {
  return `hk_demo${randomBytes(4).toString('hex')}_${randomBytes(24).toString('base64url')}`;
}

export class DemoDirectory {
  private constructor(
    readonly path: string,
    public manifest: Manifest,
  ) {}

  /** @throws Error that says what to do when the directory holds something else */
  static async open(path: string, wanted: Wanted): Promise<DemoDirectory> {
    await mkdir(path, { recursive: true });
    const text = await readFile(join(path, manifestName), 'utf8').catch(() => undefined);
    if (text === undefined) {
      const entries = await readdir(path);
      if (entries.length > 0) {
        throw new Error(`${path} is not empty and holds no demo: give an empty directory (--data-dir), or remove it`);
      }
      const directory = new DemoDirectory(path, { ...wanted, key: newKey(), dashboardKey: newKey() });
      await directory.save({});
      return directory;
    }
    const manifest = Manifest.parse(JSON.parse(text));
    const { profile, seed, worldVersion } = manifest;
    if (profile !== wanted.profile || seed !== wanted.seed || worldVersion !== wanted.worldVersion) {
      throw new Error(
        `${path} holds the demo of profile ${profile}, seed ${seed} (world version ${worldVersion}), not of ${wanted.profile}, ` +
          `seed ${wanted.seed} (version ${wanted.worldVersion}): give another --data-dir, or remove it`,
      );
    }
    return new DemoDirectory(path, manifest);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  async save(change: Partial<Manifest>): Promise<void> {
    this.manifest = { ...this.manifest, ...change };
    const draft = this.file(`${manifestName}.new`);
    await writeFile(draft, `${JSON.stringify(this.manifest, undefined, 2)}\n`, { mode: 0o600 });
    await rename(draft, this.file(manifestName));
  }
}
