/*
 * A CUDA runtime for machines without a GPU: memory is the host's, kernels do nothing, and every launch and copy is a
 * line on stderr. ONNX Runtime's CUDA provider, which is linked to it in place of libcudart, then places nodes, allocates,
 * copies and launches as on a GPU. Functions that are not here return success: see libraries.ts.
 */
#include <cuda_runtime_api.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#undef cudaGetDeviceProperties

/* ── the device: the figures of an H100 that kernels are chosen by ── */

static int devices(void) {
  const char *count = getenv("DRY_RUN_DEVICES");
  return count ? atoi(count) : 1;
}

cudaError_t cudaGetDeviceCount(int *count) {
  *count = devices();
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaSetDevice(int device) { return device < devices() ? cudaSuccess : cudaErrorNoDevice; }
cudaError_t cudaGetDevice(int *device) { return (*device = 0), cudaSuccess; }
cudaError_t cudaDriverGetVersion(int *version) { return (*version = CUDART_VERSION), cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int *version) { return (*version = CUDART_VERSION), cudaSuccess; }
const char *cudaGetErrorName(cudaError_t error) { return error == cudaErrorNoDevice ? "cudaErrorNoDevice" : "error"; }
const char *cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorNoDevice ? "no CUDA-capable device is detected" : "error";
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *it, int device) {
  *it = (struct cudaDeviceProp){
      .name = "dry run", .major = 9, .minor = 0, .multiProcessorCount = 132, .warpSize = 32,
      .totalGlobalMem = 80ul << 30, .totalConstMem = 65536, .l2CacheSize = 50 << 20,
      .sharedMemPerBlock = 48 << 10, .sharedMemPerBlockOptin = 227 << 10, .sharedMemPerMultiprocessor = 228 << 10,
      .regsPerBlock = 65536, .regsPerMultiprocessor = 65536,
      .maxThreadsPerBlock = 1024, .maxThreadsPerMultiProcessor = 2048, .maxBlocksPerMultiProcessor = 32,
      .maxThreadsDim = {1024, 1024, 64}, .maxGridSize = {2147483647, 65535, 65535},
      .unifiedAddressing = 1, .concurrentKernels = 1};
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device) {
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: *value = 9; break;
    case cudaDevAttrMultiProcessorCount: *value = 132; break;
    case cudaDevAttrWarpSize: *value = 32; break;
    case cudaDevAttrMaxThreadsPerBlock: *value = 1024; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *value = 2048; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = 48 << 10; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = 227 << 10; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: *value = 228 << 10; break;
    default: *value = 0;
  }
  return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *it, const void *kernel) {
  *it = (struct cudaFuncAttributes){.maxThreadsPerBlock = 1024, .numRegs = 32, .maxDynamicSharedSizeBytes = 227 << 10};
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, const void *kernel, int threads,
                                                                  size_t shared, unsigned flags) {
  return (*blocks = 2), cudaSuccess;
}

/* ── memory: a list of what was given out tells the device's addresses from the host's ── */

enum { mostRanges = 1 << 16 };
static struct range { char *start; size_t bytes; } ranges[mostRanges];
static int rangeCount;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

cudaError_t cudaMalloc(void **address, size_t bytes) {
  *address = aligned_alloc(512, (bytes / 512 + 1) * 512);
  if (!*address) return cudaErrorMemoryAllocation;
  fprintf(stderr, "allocate %zu\n", bytes);
  pthread_mutex_lock(&lock);
  int i = 0;
  while (i < rangeCount && ranges[i].start) i++;
  if (i == mostRanges) abort();
  ranges[i] = (struct range){*address, bytes};
  if (i == rangeCount) rangeCount++;
  pthread_mutex_unlock(&lock);
  return cudaSuccess;
}
cudaError_t cudaFree(void *address) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < rangeCount; i++)
    if (ranges[i].start && ranges[i].start == address) {
      fprintf(stderr, "allocate -%zu\n", ranges[i].bytes);
      ranges[i].start = NULL;
    }
  pthread_mutex_unlock(&lock);
  free(address);
  return cudaSuccess;
}
static int onDevice(const void *address) {
  int found = 0;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < rangeCount && !found; i++)
    found = ranges[i].start && (char *)address >= ranges[i].start && (char *)address < ranges[i].start + ranges[i].bytes;
  pthread_mutex_unlock(&lock);
  return found;
}
cudaError_t cudaMallocHost(void **address, size_t bytes) { return (*address = malloc(bytes)), cudaSuccess; }
cudaError_t cudaHostAlloc(void **address, size_t bytes, unsigned flags) { return cudaMallocHost(address, bytes); }
cudaError_t cudaFreeHost(void *address) { return free(address), cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
  return (*available = 78ul << 30, *total = 80ul << 30), cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *it, const void *address) {
  enum cudaMemoryType type = onDevice(address) ? cudaMemoryTypeDevice : cudaMemoryTypeUnregistered;
  *it = (struct cudaPointerAttributes){.type = type, .devicePointer = (void *)address, .hostPointer = (void *)address};
  return cudaSuccess;
}

static const char *const sides[] = {"host", "device"};
static cudaError_t copied(void *to, const void *from, size_t bytes) {
  fprintf(stderr, "copy %s %s %zu\n", sides[onDevice(from)], sides[onDevice(to)], bytes);
  memmove(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind) {
  return copied(to, from, bytes);
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream) {
  return copied(to, from, bytes);
}
cudaError_t cudaMemcpy2DAsync(void *to, size_t toPitch, const void *from, size_t fromPitch, size_t width, size_t height,
                              enum cudaMemcpyKind kind, cudaStream_t stream) {
  fprintf(stderr, "copy %s %s %zu\n", sides[onDevice(from)], sides[onDevice(to)], width * height);
  for (size_t row = 0; row < height; row++)
    memmove((char *)to + row * toPitch, (char *)from + row * fromPitch, width);
  return cudaSuccess;
}
cudaError_t cudaMemset(void *address, int value, size_t bytes) { return memset(address, value, bytes), cudaSuccess; }
cudaError_t cudaMemsetAsync(void *address, int value, size_t bytes, cudaStream_t stream) {
  return cudaMemset(address, value, bytes);
}

/* ── streams and events: handles that are not null ── */

static cudaError_t handle(void **it) { return (*it = malloc(1)), cudaSuccess; }
cudaError_t cudaStreamCreate(cudaStream_t *stream) { return handle((void **)stream); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) { return handle((void **)stream); }
cudaError_t cudaEventCreate(cudaEvent_t *event) { return handle((void **)event); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags) { return handle((void **)event); }
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, enum cudaStreamCaptureStatus *status) {
  return (*status = cudaStreamCaptureStatusNone), cudaSuccess;
}
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void *data) {
  return function(data), cudaSuccess;
}

/* ── kernels: the compiler registers each with its name, and launches it by its address ── */

enum { mostKernels = 1 << 18 };
static struct kernel { const void *address; const char *name; } kernels[mostKernels];
static struct kernel *kernelOf(const void *address) {
  unsigned long i = (unsigned long)address / 16 * 2654435761u % mostKernels;
  while (kernels[i].address && kernels[i].address != address) i = (i + 1) % mostKernels;
  return &kernels[i];
}
void __cudaRegisterFunction(void **library, const char *address, char *deviceFunction, const char *name, int limit,
                            void *thread, void *block, void *blockSize, void *gridSize, int *warpSize) {
  *kernelOf(address) = (struct kernel){address, name};
}
void **__cudaRegisterFatBinary(void *binary) {
  static void *library;
  return &library;
}

static cudaError_t launched(const void *kernel, dim3 blocks, dim3 threads) {
  const char *name = kernelOf(kernel)->name;
  fprintf(stderr, "kernel %s %ux%ux%u blocks of %u\n", name ? name : "?", blocks.x, blocks.y, blocks.z,
          threads.x * threads.y * threads.z);
  return cudaSuccess;
}
cudaError_t cudaLaunchKernel(const void *kernel, dim3 blocks, dim3 threads, void **arguments, size_t shared,
                             cudaStream_t stream) {
  return launched(kernel, blocks, threads);
}
cudaError_t cudaLaunchCooperativeKernel(const void *kernel, dim3 blocks, dim3 threads, void **arguments, size_t shared,
                                        cudaStream_t stream) {
  return launched(kernel, blocks, threads);
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t *launch, const void *kernel, void **arguments) {
  return launched(kernel, launch->gridDim, launch->blockDim);
}
cudaError_t __cudaGetKernel(cudaKernel_t *kernel, const void *address) {
  return (*kernel = (cudaKernel_t)address), cudaSuccess;
}
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 blocks, dim3 threads, void **arguments, size_t shared,
                               cudaStream_t stream) {
  return launched(kernel, blocks, threads);
}

static _Thread_local struct { dim3 blocks, threads; size_t shared; void *stream; } pushed;
unsigned __cudaPushCallConfiguration(dim3 blocks, dim3 threads, size_t shared, void *stream) {
  pushed.blocks = blocks, pushed.threads = threads, pushed.shared = shared, pushed.stream = stream;
  return 0;
}
cudaError_t __cudaPopCallConfiguration(dim3 *blocks, dim3 *threads, size_t *shared, void *stream) {
  *blocks = pushed.blocks, *threads = pushed.threads, *shared = pushed.shared, *(void **)stream = pushed.stream;
  return cudaSuccess;
}
