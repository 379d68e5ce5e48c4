export { createRandom, createVirtualPlatform, type VirtualPlatform } from "./virtual-platform.ts";
