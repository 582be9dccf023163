/** One person's data in this browser. Another person who signs in here sees their own. */
export interface UserStore<T> {
  load(): T;
  save(value: T): void;
}

export function userStore<T>(name: string, userId: string, initial: () => T): UserStore<T> {
  const key = `${name}:${userId}`;
  return {
    load() {
      const text = localStorage.getItem(key);
      return text === null ? initial() : (JSON.parse(text) as T);
    },
    save(value) {
      localStorage.setItem(key, JSON.stringify(value));
    },
  };
}
