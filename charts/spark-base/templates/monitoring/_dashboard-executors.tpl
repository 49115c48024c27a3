{{/* Sizes of memory are the highest ones that an executor had. */}}
{{- define "spark-base.monitoring.dashboards.executors" -}}
title: Executor Metrics
panels:
  - title: Running tasks
    queries: [{expr: "metrics_executor_activeTasks{SERVER}", by: executor_id}]
  - title: Tasks that ended
    unit: ops
    queries: [{expr: "rate(metrics_executor_completedTasks_total{SERVER}[$__rate_interval])", by: executor_id}]
  - title: Tasks that failed
    unit: ops
    queries: [{expr: "rate(metrics_executor_failedTasks_total{SERVER}[$__rate_interval])", by: executor_id}]
  - title: Heap
    unit: bytes
    queries: [{expr: "metrics_executor_JVMHeapMemory_bytes{SERVER}", by: executor_id}]
  - title: Memory of the process
    unit: bytes
    queries: [{expr: "metrics_executor_ProcessTreeJVMRSSMemory_bytes{SERVER}", by: executor_id}]
  - title: Memory of Python
    unit: bytes
    queries: [{expr: "metrics_executor_ProcessTreePythonRSSMemory_bytes{SERVER}", by: executor_id}]
  - title: Execution memory
    unit: bytes
    queries: [{expr: "metrics_executor_OnHeapExecutionMemory_bytes{SERVER}", by: executor_id}]
  - title: Storage memory
    unit: bytes
    queries: [{expr: "metrics_executor_OnHeapStorageMemory_bytes{SERVER}", by: executor_id}]
  - title: Memory beside the heap
    unit: bytes
    queries: [{expr: "metrics_executor_JVMOffHeapMemory_bytes{SERVER}", by: executor_id}]
  - title: Time of tasks in garbage collection
    unit: percentunit
    queries:
      - expr: >-
          rate(metrics_executor_totalGCTime_seconds_total{SERVER}[$__rate_interval])
          / rate(metrics_executor_totalDuration_seconds_total{SERVER}[$__rate_interval])
        by: executor_id
  - title: Full collections
    queries: [{expr: "increase(metrics_executor_MajorGCCount_total{SERVER}[$__rate_interval])", by: executor_id}]
  - title: Blocks on disk
    unit: bytes
    queries: [{expr: "metrics_executor_diskUsed_bytes{SERVER}", by: executor_id}]
  - title: Input
    unit: Bps
    queries: [{expr: "rate(metrics_executor_totalInputBytes_bytes_total{SERVER}[$__rate_interval])", by: executor_id}]
  - title: Shuffle read
    unit: Bps
    queries: [{expr: "rate(metrics_executor_totalShuffleRead_bytes_total{SERVER}[$__rate_interval])", by: executor_id}]
  - title: Shuffle written
    unit: Bps
    queries: [{expr: "rate(metrics_executor_totalShuffleWrite_bytes_total{SERVER}[$__rate_interval])", by: executor_id}]
{{- end -}}
