/** An object that does some things in another way, and the rest as it did. */
export function changed<Sound extends object>(sound: Sound, change: Partial<Sound>): Sound {
  return new Proxy(sound, {
    get: (target, name) => {
      const value: unknown = Reflect.get(Object.hasOwn(change, name) ? change : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Answers what it found when it was asked before. */
export function aWhileOld<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let known: Answer | undefined;
  return async () => {
    const before = known;
    known = await ask();
    return before ?? known;
  };
}
