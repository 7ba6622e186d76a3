/** Calls those who listen. A listener that throws stops neither the others nor the connection. */
export type Emitter<Events> = {
  /** Calls `listener` on every event of the type from now on; returns what ends that. */
  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): () => void;
  emit<K extends keyof Events>(type: K, event: Events[K]): void;
};

/** Returns an emitter without listeners. What a listener throws is thrown again outside, as an uncaught error. */
export function createEmitter<Events>(): Emitter<Events> {
  const listeners: { [K in keyof Events]?: Set<(event: Events[K]) => void> } = {};
  return {
    on(type, listener) {
      const own = (listeners[type] ??= new Set());
      own.add(listener);
      return () => own.delete(listener);
    },
    emit(type, event) {
      for (const listener of [...(listeners[type] ?? [])]) callSafely(listener, event);
    },
  };
}

function callSafely<T>(listener: (event: T) => void, event: T): void {
  try {
    listener(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
