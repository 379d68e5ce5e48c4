export { faultyStore, type StoreFaults } from "./faulty-store.ts";
export { createRandom, createVirtualPlatform, type VirtualPlatform } from "./virtual-platform.ts";
