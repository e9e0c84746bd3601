"use client";
// A chat in a component: the thin skin over the framework-free chat.

import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Chat } from "../client/chat.ts";
import type { ChatOptions, ChatSnapshot } from "../client/chat-types.ts";
import { requestHeaders } from "../client/request.ts";

/** Options of {@link useChat}. A new object on each render is fine: only a new `id` or `api` makes a new chat. */
export type UseChatOptions = ChatOptions;

/** What {@link useChat} gives. */
export interface UseChat extends ChatSnapshot {
  readonly id: string;
  /** Sends a message. False, and nothing is done, while an answer is awaited, before the chat is loaded, or without text. */
  readonly send: (input: string | { readonly text: string }) => boolean;
  /** Stops the answer on the server, from any tab, before the first token too. */
  readonly stop: () => void;
  /** Asks for the last answer again, or loads the chat again. False while an answer is awaited. */
  readonly retry: () => boolean;
  /** Looks whether the saved messages have changed. */
  readonly refresh: () => void;
}

/** The options as they are now, for a chat that outlives the render it was made in. */
class Live {
  readonly key: string;
  readonly chat: Chat;
  #options: ChatOptions;

  constructor(key: string, options: ChatOptions) {
    this.key = key;
    this.#options = options;
    this.chat = new Chat({
      ...options,
      headers: async (info) => requestHeaders(this.#options.headers, info),
      ...(options.fetch === undefined ? {} : { fetch: (input, init) => (this.#options.fetch ?? fetch)(input, init) }),
    });
  }

  setOptions(options: ChatOptions): void {
    this.#options = options;
  }
}

/**
 * A chat with the routes `{api}`, `{api}/{id}/messages`, `{api}/{id}/stream` and `{api}/{id}/stop`, which speak the AI
 * SDK's UI message stream. It loads the messages on mount and follows an answer that is still being written; leaving
 * the page never stops one.
 *
 * While it streams there is at most one render per animation frame; the end of an answer is shown at once. Put
 * `announcement` into a visually hidden element with `role="status"`, and keep the messages themselves out of live
 * regions: a screen reader then hears that an answer started and ended, not each token.
 *
 * @example
 * const { messages, status, send, stop } = useChat({ api: "/api/chat", id });
 */
export function useChat(options: UseChatOptions): UseChat {
  const key = JSON.stringify([options.api, options.id]);
  const [held, hold] = useState(() => new Live(key, options));
  let live = held;
  if (held.key !== key) {
    live = new Live(key, options);
    hold(live);
  }
  const { chat } = live;
  useEffect(() => {
    live.setOptions(options);
  });
  useEffect(() => chat.attach(), [chat]);
  const snapshot = useSyncExternalStore(chat.subscribe, chat.getSnapshot, chat.getServerSnapshot);
  const actions = useMemo(
    () => ({
      id: chat.id,
      send: (input: string | { readonly text: string }) => chat.send(input),
      stop: () => void chat.stop(),
      retry: () => chat.retry(),
      refresh: () => void chat.refresh(),
    }),
    [chat],
  );
  return useMemo(() => ({ ...snapshot, ...actions }), [snapshot, actions]);
}
