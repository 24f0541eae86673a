"""`herald demo`: a company's first day with its programme, on real servers, and whether every figure is right."""
