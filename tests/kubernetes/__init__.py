"""Herald on a real cluster: any that KUBECONFIG names. See README.md."""
